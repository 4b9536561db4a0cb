internal import COpenSSL

/// Bytes that nobody else may see: wiped from memory when the last owner lets go, never printed.
///
/// The bytes lie in one allocation that is never moved or grown, so wiping it wipes them all. What a
/// caller copied out of `withUnsafeBytes` is the caller's to wipe.
///
/// Source: OPENSSL_cleanse(3).
public final class Secret: @unchecked Sendable {
    // Sendable: written only by the initialisers, before anybody else has the reference.
    private let storage: UnsafeMutableRawBufferPointer

    /// Makes a secret of `count` bytes, all of which `fill` writes.
    public init(count: Int, filledBy fill: (UnsafeMutableRawBufferPointer) -> Void) {
        storage = .allocate(byteCount: count, alignment: 8)
        storage.initializeMemory(as: UInt8.self, repeating: 0)
        fill(storage)
    }

    /// Copies the bytes; the original stays with its owner.
    public convenience init(copying bytes: UnsafeRawBufferPointer) {
        self.init(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// Copies the UTF-8 of a text; the text itself cannot be wiped.
    public convenience init(_ text: String) {
        self.init(count: text.utf8.count) { $0.copyBytes(from: text.utf8) }
    }

    deinit {
        OPENSSL_cleanse(storage.baseAddress, storage.count)
        storage.deallocate()
    }

    public var count: Int { storage.count }

    /// Lends the bytes for the duration of `body`.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(storage))
    }
}

extension Secret: Equatable {
    /// Compares in a time that tells nothing about where two secrets of one length differ.
    public static func == (left: Secret, right: Secret) -> Bool {
        guard left.count == right.count else { return false }
        guard left.count > 0 else { return true }
        return CRYPTO_memcmp(left.storage.baseAddress, right.storage.baseAddress, left.count) == 0
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
