internal import CZstd

/// Decompresses zstd data piece by piece: any number of frames, as zstd(1) reads them.
///
/// Its memory is bounded: a frame that asks for a window of more than 128 MiB is refused, as by zstd(1).
public struct FrameReader: ~Copyable {
    public enum Failure: Error, Sendable, Equatable {
        /// It is no zstd data, or damaged from here on.
        case corrupt(String)
        /// It ends inside a frame.
        case truncated
        /// It holds more than the limit.
        case tooLong
    }

    /// The first bytes of a frame that holds data.
    public static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    private let context: OpaquePointer
    private var insideFrame = false
    /// Found behind what was given out; every later call throws it.
    private var failure: Failure?

    public init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("ZSTD_createDCtx") }
        self.context = context
        precondition(ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)) == 0)
    }

    deinit {
        ZSTD_freeDCtx(context)
    }

    /// Decompresses from `input` into `output`; says how many bytes of each it used.
    ///
    /// It stops when all input is used up and nothing of it is left to be given out, or the output is full. What comes
    /// before damage is given out; the next call throws.
    public mutating func read(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> (consumed: Int, produced: Int) {
        if let failure { throw failure }
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        // What it holds back for want of room comes out without further input.
        while target.pos < target.size, source.pos < source.size || insideFrame {
            let before = (source.pos, target.pos)
            let result = ZSTD_decompressStream(context, &target, &source)
            if ZSTD_isError(result) != 0 {
                let found = Failure.corrupt(String(cString: ZSTD_getErrorName(result)))
                failure = found
                guard target.pos > 0 else { throw found }
                break
            }
            insideFrame = result > 0
            if before == (source.pos, target.pos) { break }
        }
        return (source.pos, target.pos)
    }

    /// Whether the data may end here.
    public func finish() throws(Failure) {
        if let failure { throw failure }
        if insideFrame { throw .truncated }
    }

    /// Decompresses one block whole: one frame, or several.
    ///
    /// - Parameter limit: the most bytes that it may hold.
    public mutating func decompress(
        _ block: UnsafeRawBufferPointer, limit: Int
    ) throws(Failure) -> [UInt8] {
        precondition(ZSTD_isError(ZSTD_DCtx_reset(context, ZSTD_reset_session_only)) == 0)
        (insideFrame, failure) = (false, nil)
        var output: [UInt8] = []
        var rest = block
        var room = min(Self.step, max(4 * block.count, 4096))
        while true {
            // One byte past the limit shows that there is more.
            room = min(room, limit - output.count + 1)
            var result = Result<(consumed: Int, produced: Int), Failure>.success((0, 0))
            output += [UInt8](unsafeUninitializedCapacity: room) { piece, count in
                result = Result { () throws(Failure) in
                    try read(rest, into: UnsafeMutableRawBufferPointer(piece))
                }
                if case .success(let used) = result { count = used.produced }
            }
            let used = try result.get()
            rest = UnsafeRawBufferPointer(rebasing: rest[used.consumed...])
            guard output.count <= limit else { throw .tooLong }
            if used.produced < room, failure == nil {
                try finish()
                return output
            }
            room = Self.step
        }
    }

    /// How much room is made at first, and added at most, before there proves to be something to fill it.
    private static let step = 1 << 20
}
