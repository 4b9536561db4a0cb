/// The 32 bytes that SHA-256 or HMAC-SHA256 gives.
public struct SHA256Digest: Hashable, Sendable {
    public static let byteCount = 32

    // Words in big-endian order: a value compares and hashes without touching memory elsewhere.
    private var words: (UInt64, UInt64, UInt64, UInt64)

    /// Makes a digest from the 32 bytes that `fill` writes.
    init(filledBy fill: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
        words = (0, 0, 0, 0)
        // The tuple is 32 contiguous bytes of a trivial type; the pointer does not leave the closure.
        withUnsafeMutableBytes(of: &words) { bytes in
            fill(bytes.bindMemory(to: UInt8.self))
        }
    }

    /// Reads 64 hexadecimal digits of either case; nil for anything else.
    public init?(hex text: some StringProtocol) {
        guard text.utf8.count == 2 * Self.byteCount else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        var high: UInt8?
        for digit in text.utf8 {
            guard let value = Hexadecimal.value(of: digit) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        self.init { output in _ = output.initialize(from: bytes) }
    }

    /// The digest as 64 lower-case hexadecimal digits.
    public var hex: String {
        withUnsafeBytes { Hexadecimal.text(of: $0) }
    }

    /// Writes what `hex` says as 64 bytes of ASCII.
    public func writeHex(to output: UnsafeMutablePointer<UInt8>) {
        withUnsafeBytes { Hexadecimal.write($0, to: output) }
    }

    /// Lends the 32 bytes for the duration of `body`.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Swift.withUnsafeBytes(of: words) { body($0) }
    }

    public static func == (left: SHA256Digest, right: SHA256Digest) -> Bool {
        left.words == right.words
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}

extension SHA256Digest: CustomStringConvertible {
    public var description: String { hex }
}
