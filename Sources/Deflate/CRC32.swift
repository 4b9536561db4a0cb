internal import CLibdeflate
internal import CZlib

/// CRC-32 as in gzip (RFC 1952, 8), zlib and `x-amz-checksum-crc32`.
public struct CRC32: Sendable, Hashable {
    public private(set) var value: UInt32

    public init(value: UInt32 = 0) {
        self.value = value
    }

    public init(of bytes: UnsafeRawBufferPointer) {
        value = 0
        update(bytes)
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        // More than twice as fast as zlib's.
        value = libdeflate_crc32(value, start, bytes.count)
    }

    /// Makes this the checksum of what it covers, followed by `length` bytes whose checksum is `next`.
    public mutating func append(_ next: CRC32, length: Int) {
        value = UInt32(
            truncatingIfNeeded: crc32_combine(UInt(value), UInt(next.value), length))
    }
}
