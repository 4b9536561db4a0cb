public import Avro
public import Deflate
public import Model

/// A format, and what all blocks of one object in it have in common.
public enum ObjectForm: Sendable {
    case avro(ContainerHeader, ObjectFormat.AvroCompression)
    case jsonl(ObjectFormat.JSONLinesCompression)
}

/// How the blocks of one object become its bytes.
///
/// Packing a block needs nothing of the object's other blocks, so any worker may do it; `header`, the packed blocks in
/// order and `trailer` are then the object. A new format is a case here and one in `BlockPacker`.
public struct ObjectFrame: Sendable {
    public let form: ObjectForm
    private var checksum = CRC32()
    private var size: UInt64 = 0

    public init(_ form: ObjectForm) {
        self.form = form
    }

    public var header: [UInt8] {
        switch form {
        case .avro(let header, _): header.bytes
        case .jsonl(.gzip): GzipMember.header
        case .jsonl(.none): []
        }
    }

    /// Takes note of the next block.
    public mutating func append(_ block: PackedBlock) {
        checksum.append(block.checksum, length: block.size)
        size += UInt64(block.size)
    }

    public var trailer: [UInt8] {
        switch form {
        case .jsonl(.gzip): GzipMember.trailer(checksum: checksum, size: size)
        case .avro, .jsonl(.none): []
        }
    }
}

/// A block as it stands in an object, and what the frame needs to know of its contents.
public struct PackedBlock: Sendable {
    public var bytes: [UInt8]
    /// Of the contents.
    public var checksum: CRC32
    /// Of the contents, in bytes.
    public var size: Int

    public init(bytes: [UInt8], checksum: CRC32 = CRC32(), size: Int) {
        self.bytes = bytes
        self.checksum = checksum
        self.size = size
    }
}

/// Packs blocks, one at a time, and keeps the codecs' state from block to block.
public struct BlockPacker: ~Copyable {
    /// zlib's own default: the size that people compare with.
    public static let level = 6

    private var deflater = BlockDeflater(level: BlockPacker.level)

    public init() {}

    /// - Parameter events: how many of them the block has.
    public mutating func pack(
        _ block: UnsafeRawBufferPointer, events: Int, as form: ObjectForm
    ) -> PackedBlock {
        switch form {
        case .avro(let header, let compression):
            // Readers take an empty block for the end of the file.
            guard events > 0 else { return PackedBlock(bytes: [], size: 0) }
            let data =
                switch compression {
                case .deflate: deflater.deflate(block, ending: .complete)
                case .none: [UInt8](block)
                }
            let head = ContainerHeader.blockHead(count: events, size: data.count)
            return PackedBlock(bytes: head + data + header.marker.bytes, size: block.count)
        case .jsonl(.gzip):
            return PackedBlock(
                bytes: deflater.deflate(block), checksum: CRC32(of: block), size: block.count)
        case .jsonl(.none):
            return PackedBlock(bytes: [UInt8](block), size: block.count)
        }
    }
}
