internal import Avro
internal import Deflate
internal import Model
internal import Zstandard

/// Where a block stands among those of its object.
public enum BlockPlace: Sendable {
    /// It is all of its object.
    case alone
    /// Others stand before it, and none after it.
    case last
    /// At least one stands after it.
    case before

    public init(index: Int, isLast: Bool) {
        self = !isLast ? .before : index == 0 ? .alone : .last
    }
}

/// Packs blocks, one at a time, and keeps the codecs' state from block to block.
///
/// What it makes of a block depends on nothing but the arguments.
public final class BlockPacker {
    private var deflaters = CodecShelf<Deflater>()
    private var compressors = CodecShelf<Compressor>()

    public init() {}

    /// - Parameter events: how many of them the block has.
    public func pack(
        _ block: UnsafeRawBufferPointer, events: Int, as form: ObjectForm, at place: BlockPlace
    ) -> PackedBlock {
        switch form {
        case .avro(let header, let compression, let level):
            // Readers take an empty block for the end of the file.
            guard events > 0 else { return PackedBlock(bytes: [], size: 0) }
            let data =
                switch compression {
                case .deflate:
                    deflaters.codec(of: level).deflater.deflate(block, ending: .complete)
                case .zstandard: compressors.codec(of: level).compressor.frame(block)
                case .none: [UInt8](block)
                }
            return PackedBlock(bytes: header.block(data, count: events), size: block.count)
        case .jsonl(.gzip, let level):
            let ending: BlockDeflater.Ending = place == .before ? .joined : .complete
            return PackedBlock(
                bytes: deflaters.codec(of: level).deflater.deflate(block, ending: ending),
                checksum: CRC32(of: block), size: block.count)
        case .jsonl(.zstd, let level):
            let compressor = compressors.codec(of: level)
            let bytes =
                place == .alone
                ? compressor.compressor.frame(block) : compressor.compressor.section(block)
            return PackedBlock(bytes: bytes, size: block.count)
        case .jsonl(.none, _):
            return PackedBlock(bytes: [UInt8](block), size: block.count)
        }
    }
}

/// A codec whose state belongs to one level.
private protocol LevelCodec: AnyObject {
    init(level: Int)
}

private final class Deflater: LevelCodec {
    var deflater: BlockDeflater
    init(level: Int) { deflater = BlockDeflater(level: level) }
}

private final class Compressor: LevelCodec {
    var compressor: BlockCompressor
    init(level: Int) { compressor = BlockCompressor(level: level) }
}

/// The codecs of the levels that were used last.
///
/// Connectors differ in level at most by a few; more levels than fit take the time to make a codec anew, not memory.
private struct CodecShelf<Codec: LevelCodec> {
    private static var places: Int { 3 }

    /// The one used last is the last.
    private var codecs: [(level: Int, codec: Codec)] = []

    mutating func codec(of level: Int) -> Codec {
        if let last = codecs.last, last.level == level { return last.codec }
        let found = codecs.firstIndex { $0.level == level }.map { codecs.remove(at: $0) }
        if found == nil, codecs.count == Self.places { codecs.removeFirst() }
        let entry = found ?? (level, Codec(level: level))
        codecs.append(entry)
        return entry.codec
    }
}
