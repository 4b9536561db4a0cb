/// Where the bytes of a request's body come from.
///
/// Bytes are asked for by offset, so the same body can be sent again: libcurl does that by itself when
/// a kept-alive connection turns out to be dead.
public protocol UploadBody: AnyObject {
    /// The exact length, in bytes; it is announced before the first byte is read.
    var length: Int64 { get }

    /// Reads up to `count` bytes from `offset` and gives them to `completion`: at once or later, on the
    /// main actor, exactly once; at least one byte, at most `count`.
    func read(
        from offset: Int64, count: Int,
        completion: @escaping (Result<[UInt8], BodyUnreadable>) -> Void)
}

/// A body could not be read.
public nonisolated struct BodyUnreadable: Error, Sendable {
    public var text: String

    public init(_ text: String) {
        self.text = text
    }
}

/// A body that is in memory.
public final class BytesBody: UploadBody {
    private let bytes: [UInt8]

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public var length: Int64 { Int64(bytes.count) }

    public func read(
        from offset: Int64, count: Int,
        completion: @escaping (Result<[UInt8], BodyUnreadable>) -> Void
    ) {
        completion(.success(Array(bytes[Int(offset)...].prefix(count))))
    }
}
