public import Avro
public import Deflate
public import Model
internal import Zstandard

/// A format, and what all blocks of one object in it have in common.
public enum ObjectForm: Sendable {
    case avro(ContainerHeader, ObjectFormat.AvroCompression, level: Int)
    case jsonl(ObjectFormat.JSONLinesCompression, level: Int)
}

extension ObjectFormat.AvroCompression {
    public var codec: ContainerHeader.Codec {
        switch self {
        case .deflate: .deflate
        case .zstandard: .zstandard
        case .none: .null
        }
    }
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

    /// - Parameter isAlone: the object has one block.
    public func header(isAlone: Bool) -> [UInt8] {
        switch form {
        case .avro(let header, _, _): header.bytes
        case .jsonl(.gzip, _): GzipMember.header
        case .jsonl(.zstd, _): isAlone ? [] : JoinedFrame.header
        case .jsonl(.none, _): []
        }
    }

    /// Takes note of the next block.
    public mutating func append(_ block: PackedBlock) {
        checksum.append(block.checksum, length: block.size)
        size += UInt64(block.size)
    }

    /// - Parameter isAlone: as for `header`.
    public func trailer(isAlone: Bool) -> [UInt8] {
        switch form {
        case .jsonl(.gzip, _): GzipMember.trailer(checksum: checksum, size: size)
        case .jsonl(.zstd, _): isAlone ? [] : JoinedFrame.trailer
        case .avro, .jsonl(.none, _): []
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
