internal import COpenSSL

/// Collects bytes that nobody else may see, up to a limit; they are wiped when the buffer goes.
///
/// The room is made once, so that no copy is left behind by growing.
public final class SecretBuffer {
    private let storage: UnsafeMutableRawBufferPointer
    private var count = 0
    /// Whether bytes were refused for want of room.
    public private(set) var isOverfull = false

    public var isEmpty: Bool { count == 0 }

    public init(capacity: Int) {
        storage = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit {
        OPENSSL_cleanse(storage.baseAddress, storage.count)
        storage.deallocate()
    }

    /// Takes all of the bytes or, where they have no room, none.
    public func append(_ bytes: UnsafeRawBufferPointer) {
        guard !isOverfull, bytes.count <= storage.count - count else {
            isOverfull = true
            return
        }
        UnsafeMutableRawBufferPointer(rebasing: storage[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Takes the UTF-8 of a text, which cannot be wiped itself.
    public func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Takes one byte.
    public func append(_ byte: UInt8) {
        Swift.withUnsafeBytes(of: byte) { append($0) }
    }

    /// Lends what was collected for the duration of `body`.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(rebasing: storage[..<count]))
    }
}
