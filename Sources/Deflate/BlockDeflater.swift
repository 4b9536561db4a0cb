internal import CZlib

/// Compresses blocks apart, so that those of one object can be compressed on several cores.
///
/// One owner at a time; the codec's state (about 270 KB) is kept from block to block.
public struct BlockDeflater: ~Copyable {
    /// How a block ends.
    public enum Ending: Sendable {
        /// With a sync flush, which leaves the stream at a byte boundary with nothing pending (RFC 1951, 3.2.4): any
        /// number of such blocks, one after the other, are one raw deflate stream. Nobody needs to know which of them
        /// is the last; `GzipMember.trailer` ends the stream.
        case joined
        /// With the last block of its stream: each is a raw deflate stream of its own.
        case complete
    }

    private let stream: UnsafeMutablePointer<z_stream>
    /// Where a block is compressed before its exact size is known.
    private var scratch: UnsafeMutableRawBufferPointer

    public init(level: Int) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // Negative window bits: raw deflate. It fails only for a level out of range or for want of memory.
        let status = sluice_deflate_init(stream, Int32(level), -15, 8)
        precondition(status == Z_OK, "deflateInit2: \(status)")
        scratch = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
        scratch.deallocate()
    }

    /// Compresses one block. The result has exactly its size.
    public mutating func deflate(
        _ block: UnsafeRawBufferPointer, ending: Ending = .joined
    ) -> [UInt8] {
        precondition(deflateReset(stream) == Z_OK)
        // Room for the sync flush beside zlib's own bound, so that one call always finishes.
        let bound = Int(deflateBound(stream, UInt(block.count))) + 16
        if scratch.count < bound {
            scratch.deallocate()
            scratch = .allocate(byteCount: bound, alignment: 16)
        }
        let input = block.bindMemory(to: UInt8.self)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = scratch.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(scratch.count)
        switch ending {
        case .joined:
            let status = CZlib.deflate(stream, Z_SYNC_FLUSH)
            // Room is left, so zlib has given out all that it had.
            precondition(status == Z_OK && stream.pointee.avail_in == 0)
            precondition(stream.pointee.avail_out > 0)
        case .complete:
            let status = CZlib.deflate(stream, Z_FINISH)
            precondition(status == Z_STREAM_END)
        }
        return [UInt8](scratch[..<(scratch.count - Int(stream.pointee.avail_out))])
    }
}
