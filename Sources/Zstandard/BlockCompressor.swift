internal import CZstd

/// Compresses blocks apart with zstd, so that those of one object can be compressed on several cores.
///
/// One owner at a time; the codec's state is kept from block to block, and the same block gives the same bytes.
///
/// Many readers stop after the first frame, so an object of several blocks must be one frame. Within a frame zstd goes on
/// with what it learnt, so the blocks of frames that were made apart do not make one. What does is zstd's own mode for
/// several threads: it compresses sections apart and joins them (`ZSTD_c_nbWorkers`). Here
/// such a context gets one section at a time, those know nothing of each other (`ZSTD_c_overlapLog`), and each flush ends one. So what comes out of a flush
/// follows from its input alone, and may stand in any frame between `JoinedFrame.header` and `JoinedFrame.trailer`.
public struct BlockCompressor: ~Copyable {
    public static let levels = 1...19

    /// Both made when they are first needed: an object has one of the two.
    private var frames: OpaquePointer?
    private var sections: OpaquePointer?
    private let level: Int
    /// Where a block is compressed before its exact size is known.
    private var scratch: UnsafeMutableRawBufferPointer

    public init(level: Int) {
        precondition(Self.levels.contains(level))
        self.level = level
        scratch = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        ZSTD_freeCCtx(frames)
        ZSTD_freeCCtx(sections)
        scratch.deallocate()
    }

    /// One block as a frame of its own, with its size and checksum.
    public mutating func frame(_ block: UnsafeRawBufferPointer) -> [UInt8] {
        let context = frames ?? makeContext()
        if frames == nil {
            set(ZSTD_c_checksumFlag, 1, context)
            frames = context
        }
        makeRoom(for: block.count)
        let size = checked(
            ZSTD_compress2(
                context, scratch.baseAddress, scratch.count, block.baseAddress, block.count))
        return [UInt8](scratch[..<size])
    }

    /// One block as a part of a `JoinedFrame`.
    public mutating func section(_ block: UnsafeRawBufferPointer) -> [UInt8] {
        let context = sections ?? makeSections()
        sections = context
        makeRoom(for: block.count)
        return [UInt8](scratch[..<flush(block, context)])
    }

    // MARK: Contexts

    private func makeContext() -> OpaquePointer {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("ZSTD_createCCtx") }
        set(ZSTD_c_compressionLevel, Int32(level), context)
        return context
    }

    /// A context whose frame has begun and never ends.
    private mutating func makeSections() -> OpaquePointer {
        let context = makeContext()
        // Fails where zstd was built without threads; no distribution does.
        // With one thread zstd spins where that has told of a section and has not yet gone to sleep.
        set(ZSTD_c_nbWorkers, 2, context)
        set(ZSTD_c_overlapLog, 1, context)
        // The smallest there is; by default it is several megabytes. A block that is larger becomes several sections.
        set(ZSTD_c_jobSize, 512 << 10, context)
        set(ZSTD_c_windowLog, Int32(JoinedFrame.windowLog), context)
        if level > 8 {
            // By default these levels have tables for a window of megabytes.
            set(ZSTD_c_hashLog, Int32(JoinedFrame.windowLog) + 1, context)
            set(ZSTD_c_chainLog, Int32(JoinedFrame.windowLog), context)
        }
        // The frame's header comes with the first section, so that is none of an object.
        let first: [UInt8] = [0x0A]
        _ = first.withUnsafeBytes { flush($0, context) }
        return context
    }

    /// Compresses all of the input into `scratch`; says how many bytes that are.
    private func flush(_ block: UnsafeRawBufferPointer, _ context: OpaquePointer) -> Int {
        var input = ZSTD_inBuffer(src: block.baseAddress, size: block.count, pos: 0)
        var output = ZSTD_outBuffer(dst: scratch.baseAddress, size: scratch.count, pos: 0)
        while checked(ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush)) > 0 {
            precondition(output.pos < output.size, "there is room for the worst of blocks")
        }
        precondition(input.pos == input.size)
        return output.pos
    }

    private func set(_ parameter: ZSTD_cParameter, _ value: Int32, _ context: OpaquePointer) {
        _ = checked(ZSTD_CCtx_setParameter(context, parameter, value))
    }

    /// It fails only for want of memory and where an argument is wrong.
    private func checked(_ result: Int) -> Int {
        precondition(ZSTD_isError(result) == 0, String(cString: ZSTD_getErrorName(result)))
        return result
    }

    private mutating func makeRoom(for size: Int) {
        // Beside the bound, of which every section but the last would have its own: the head of a frame.
        let room = ZSTD_compressBound(size) + (size >> 12) + 1024
        guard scratch.count < room else { return }
        scratch.deallocate()
        scratch = .allocate(byteCount: room, alignment: 16)
    }
}
