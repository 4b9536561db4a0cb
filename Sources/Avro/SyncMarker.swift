internal import Digest

/// The 16 bytes that end the header of a container and each of its blocks.
///
/// The specification asks for random ones. Here they are made of what names the object, so an object that is made
/// again has the same bytes, and no other object of the same store has its marker.
public struct SyncMarker: Sendable, Hashable {
    public static let size = 16

    public let bytes: [UInt8]

    /// The first 16 bytes of the SHA-256 of a text's UTF-8.
    public init(digestOf text: String) {
        bytes = SHA256.digest(of: text).withUnsafeBytes { Array($0.prefix(Self.size)) }
    }

    /// Those that a container has; nil unless they are 16.
    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        self.bytes = Array(bytes)
    }
}
