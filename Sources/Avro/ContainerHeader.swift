/// The head of an Avro object container file, and what stands around each of its blocks.
///
/// ```
/// header   4f 62 6a 01                     "Obj", 1
///          count  (name  value)*  00       metadata: a map of bytes, as one block of `count` pairs
///          marker                          16 bytes
/// block*   count                           of its records
///          size                            of its data in bytes, as it stands in the file
///          data                            the records one after the other, by the codec
///          marker                          the header's
/// ```
///
/// Counts, sizes and the lengths of names and values are longs (`VariableLong`). Nothing ends the file: it may end
/// after the header and after any block.
///
/// Source: the Apache Avro 1.12 specification, "Object Container Files".
public struct ContainerHeader: Sendable {
    /// What the data of a block is packed with, by the name that stands in `avro.codec`.
    public enum Codec: String, Sendable, Hashable, CaseIterable {
        /// As it is.
        case null
        /// One complete raw deflate stream a block (RFC 1951): no zlib header, no checksum.
        case deflate
        /// One zstd frame a block (RFC 8878), with its size and checksum.
        case zstandard
    }

    public static let magic: [UInt8] = [0x4F, 0x62, 0x6A, 1]
    static let schemaName = "avro.schema"
    static let codecName = "avro.codec"

    public let marker: SyncMarker
    /// The header as it stands in the file.
    public let bytes: [UInt8]

    /// - Parameters:
    ///   - schema: the `text` of an `AvroSchema`.
    ///   - metadata: what stands after schema and codec, in this order. Names that begin with `avro.` belong to the
    ///     specification and stop the program.
    public init(
        schema: String, codec: Codec, metadata: [(name: String, value: String)] = [],
        marker: SyncMarker
    ) {
        precondition(metadata.allSatisfy { !$0.name.hasPrefix("avro.") })
        let pairs = [(Self.schemaName, schema), (Self.codecName, codec.rawValue)]
        var bytes = Self.magic
        VariableLong.append(Int64(pairs.count + metadata.count), to: &bytes)
        for (name, value) in pairs + metadata {
            for text in [name, value] {
                VariableLong.append(Int64(text.utf8.count), to: &bytes)
                bytes += text.utf8
            }
        }
        VariableLong.append(0, to: &bytes)
        self.marker = marker
        self.bytes = bytes + marker.bytes
    }

    /// A block as it stands in the file.
    ///
    /// - Parameters:
    ///   - data: as the codec packs it.
    ///   - count: of its records.
    public func block(_ data: [UInt8], count: Int) -> [UInt8] {
        var bytes = Self.blockHead(count: count, size: data.count)
        bytes.reserveCapacity(bytes.count + data.count + SyncMarker.size)
        bytes += data
        bytes += marker.bytes
        return bytes
    }

    /// What stands before the data of a block; the marker stands after it.
    ///
    /// - Parameters:
    ///   - count: of its records.
    ///   - size: of its data, packed.
    public static func blockHead(count: Int, size: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        VariableLong.append(Int64(count), to: &bytes)
        VariableLong.append(Int64(size), to: &bytes)
        return bytes
    }
}
