internal import CZlib

/// Decompresses blocks, each one raw deflate stream (RFC 1951).
///
/// One owner at a time; the codec's state is kept from block to block.
public struct BlockInflater: ~Copyable {
    public enum Failure: Error, Sendable, Equatable {
        /// It is no deflate stream, or a damaged one.
        case corrupt(String)
        /// It ends before its last block does.
        case truncated
        /// It holds more than the limit.
        case tooLong
    }

    /// How much room is made at first, and added at most, before zlib has proven that there is something to fill it.
    private static let step = 1 << 20

    private let stream: UnsafeMutablePointer<z_stream>

    public init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // Negative window bits: raw deflate. It fails only for want of memory.
        let status = sluice_inflate_init(stream, -15)
        precondition(status == Z_OK, "inflateInit2: \(status)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Decompresses one block, of at most 4 GiB.
    ///
    /// Bytes after the end of the stream are ignored: some writers leave a part of zlib's checksum there.
    ///
    /// - Parameter limit: the most bytes that it may hold.
    public mutating func inflate(
        _ block: UnsafeRawBufferPointer, limit: Int
    ) throws(Failure) -> [UInt8] {
        precondition(inflateReset(stream) == Z_OK)
        let input = block.bindMemory(to: UInt8.self)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointee.avail_in = UInt32(input.count)
        var output: [UInt8] = []
        var room = min(Self.step, max(4 * input.count, 4096))
        while true {
            var status = Z_OK
            // One byte past the limit shows that there is more.
            room = min(room, limit - output.count + 1)
            let piece = [UInt8](unsafeUninitializedCapacity: room) { piece, count in
                stream.pointee.next_out = piece.baseAddress
                stream.pointee.avail_out = UInt32(room)
                status = CZlib.inflate(stream, Z_NO_FLUSH)
                count = room - Int(stream.pointee.avail_out)
            }
            output += piece
            guard output.count <= limit else { throw .tooLong }
            switch status {
            case Z_STREAM_END: return output
            case Z_OK where stream.pointee.avail_out == 0: room = Self.step
            case Z_OK, Z_BUF_ERROR: throw .truncated
            default:
                throw .corrupt(stream.pointee.msg.map { String(cString: $0) } ?? "zlib \(status)")
            }
        }
    }
}
