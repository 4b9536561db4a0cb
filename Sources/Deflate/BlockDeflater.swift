internal import CLibdeflate

/// Compresses blocks apart with libdeflate, so that those of one object can be compressed on several cores.
///
/// One owner at a time; the codec's state is kept from block to block, and the same block gives the same bytes.
public struct BlockDeflater: ~Copyable {
    /// How a block ends.
    public enum Ending: Sendable {
        /// At a byte boundary, with nothing pending and open for more: any number of such blocks and a complete one after
        /// them are one raw deflate stream.
        case joined
        /// With the last block of its stream: alone, it is a raw deflate stream of its own.
        case complete
    }

    public static let levels = 1...12

    private let compressor: OpaquePointer
    private var walk = DeflateWalk()
    /// Where a block is compressed before its exact size is known.
    private var scratch: UnsafeMutableRawBufferPointer

    public init(level: Int) {
        // It fails only for a level out of range or for want of memory.
        guard let compressor = libdeflate_alloc_compressor(Int32(level)) else {
            preconditionFailure("libdeflate_alloc_compressor: \(level)")
        }
        self.compressor = compressor
        scratch = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        libdeflate_free_compressor(compressor)
        scratch.deallocate()
    }

    /// Compresses one block. The result has exactly its size.
    public mutating func deflate(
        _ block: UnsafeRawBufferPointer, ending: Ending = .joined
    ) -> [UInt8] {
        guard let input = block.baseAddress, !block.isEmpty else {
            return ending == .joined ? [] : [0x03, 0x00]
        }
        let bound = libdeflate_deflate_compress_bound(compressor, block.count)
        makeRoom(for: bound + DeflateWalk.padding)
        let size = libdeflate_deflate_compress(
            compressor, input, block.count, scratch.baseAddress, bound)
        // Zero only where the bound is not kept.
        precondition(size > 0, "libdeflate_deflate_compress")
        return ending == .complete ? [UInt8](scratch[..<size]) : joined(size)
    }

    /// The stream in `scratch`, open for more.
    ///
    /// libdeflate knows complete streams only. What makes one complete is one bit of its last block's header. Without it,
    /// and with an empty stored block behind it (RFC 1951, 3.2.4), it ends as with zlib's sync flush.
    private mutating func joined(_ size: Int) -> [UInt8] {
        let stream = UnsafeRawBufferPointer(rebasing: scratch[..<size])
        guard let last = walk.lastBlock(of: stream) else {
            preconditionFailure("what libdeflate made is no deflate stream")
        }
        scratch[last.start / 8] &= ~(1 << UInt8(last.start % 8))
        // The header of the stored block is three bits of zero, then zeros up to a byte; libdeflate pads with zeros, too.
        let headEnd = (last.end + 3 + 7) / 8
        return [UInt8](unsafeUninitializedCapacity: headEnd + 4) { bytes, count in
            let target = UnsafeMutableRawBufferPointer(bytes)
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: scratch[..<size]))
            if headEnd > size { target[size] = 0 }
            for (index, byte) in [0x00, 0x00, 0xFF, 0xFF].enumerated() {
                target[headEnd + index] = UInt8(byte)
            }
            count = headEnd + 4
        }
    }

    private mutating func makeRoom(for size: Int) {
        guard scratch.count < size else { return }
        scratch.deallocate()
        scratch = .allocate(byteCount: size, alignment: 16)
    }
}
