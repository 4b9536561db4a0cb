import Deflate
import Support
import Testing
import Zstandard

@testable import Avro

struct ContainerReaderTests {
    private static let marker = SyncMarker(digestOf: "an object")

    /// A container of blocks of data, with the number of records that each says it has.
    static func container(
        _ blocks: [(count: Int, data: [UInt8])], codec: ContainerHeader.Codec,
        metadata: [(name: String, value: String)] = []
    ) -> [UInt8] {
        let header = ContainerHeader(
            schema: "{}", codec: codec, metadata: metadata, marker: marker)
        var deflater = BlockDeflater(level: 6)
        var compressor = BlockCompressor(level: 1)
        return blocks.reduce(into: header.bytes) { bytes, block in
            let packed =
                block.data.withUnsafeBytes { data in
                    switch codec {
                    case .null: Array(data)
                    case .deflate: deflater.deflate(data, ending: .complete)
                    case .zstandard: compressor.frame(data)
                    }
                }
            bytes += ContainerHeader.blockHead(count: block.count, size: packed.count)
            bytes += packed + marker.bytes
        }
    }

    /// Gives bytes in pieces of one size.
    static func pieces(_ bytes: [UInt8], of size: Int) -> ContainerReader.Source {
        var rest = bytes[...]
        return {
            defer { rest = rest.dropFirst(size) }
            return Array(rest.prefix(size))
        }
    }

    /// All blocks.
    static func read(
        _ bytes: [UInt8], pieces size: Int = 1000
    ) throws(ContainerFault) -> [ContainerReader.Block] {
        var reader = try ContainerReader(pieces(bytes, of: size))
        var blocks: [ContainerReader.Block] = []
        while let block = try reader.nextBlock() { blocks.append(block) }
        return blocks
    }

    private static let blocks: [(count: Int, data: [UInt8])] = [
        (3, [1, 2, 3]), (0, []), (500, Array(repeating: 7, count: 5000)), (9, []),
    ]

    @Test(arguments: ContainerHeader.Codec.allCases, [1, 7, 16, 100_000])
    func `What was written is read, whatever pieces it comes in`(
        codec: ContainerHeader.Codec, size: Int
    ) throws {
        let bytes = Self.container(Self.blocks, codec: codec, metadata: [("a", "b")])
        let reader = try ContainerReader(Self.pieces(bytes, of: size))
        #expect(reader.schema == "{}")
        #expect(reader.codec == codec)
        #expect(reader.metadata.map(\.name) == ["avro.schema", "avro.codec", "a"])
        #expect(reader.metadata.last?.value == Array("b".utf8))
        let blocks = try Self.read(bytes, pieces: size)
        #expect(blocks.map(\.count) == Self.blocks.map(\.count))
        #expect(blocks.map(\.data) == Self.blocks.map(\.data))
        let header = Self.container([], codec: codec, metadata: [("a", "b")])
        #expect(blocks.first?.offset == header.count)
    }

    @Test(arguments: ContainerHeader.Codec.allCases)
    func `A container may end only after its header and after a block`(
        codec: ContainerHeader.Codec
    ) throws {
        let bytes = Self.container([(2, [1, 2]), (1, [3])], codec: codec)
        let ends = [
            Self.container([], codec: codec).count,
            Self.container([(2, [1, 2])], codec: codec).count,
        ]
        for length in bytes.indices {
            if ends.contains(length) {
                #expect(try Self.read(Array(bytes.prefix(length))).count <= 1)
                continue
            }
            let fault = #expect(throws: ContainerFault.self) {
                try Self.read(Array(bytes.prefix(length)))
            }
            switch fault?.problem {
            case .truncated: #expect(fault?.offset == length)
            default: #expect(length < 4 && fault?.problem == .noContainer)
            }
        }
    }

    /// A header with other pairs than ours.
    private static func header(_ pairs: [(String, [UInt8])]) -> [UInt8] {
        var bytes = ContainerHeader.magic
        if !pairs.isEmpty { VariableLong.append(Int64(pairs.count), to: &bytes) }
        for (name, value) in pairs {
            VariableLong.append(Int64(name.utf8.count), to: &bytes)
            bytes += name.utf8
            VariableLong.append(Int64(value.count), to: &bytes)
            bytes += value
        }
        return bytes + [0] + marker.bytes
    }

    @Test func `A header without a codec means the codec null`() throws {
        let reader = try ContainerReader(Self.pieces(Self.header([("avro.schema", [])]), of: 9))
        #expect(reader.codec == .null)
    }

    @Test func `Metadata may come in several blocks, with their sizes`() throws {
        var bytes = ContainerHeader.magic + [1, 0x1C]  // -1, 14 bytes
        bytes += [22] + "avro.schema".utf8 + [2, 0x31]
        bytes += [2, 2, 0x61, 0, 0] + Self.marker.bytes
        let reader = try ContainerReader(Self.pieces(bytes, of: 9))
        #expect(reader.schema == "1")
        #expect(reader.metadata.map(\.name) == ["avro.schema", "a"])
    }

    @Test(
        arguments: [
            ([], .noContainer, 0), (Array("Obj\u{2}".utf8), .noContainer, 0),
            (header([]), .metadata("avro.schema"), 5),
            (header([("avro.schema", [0xff])]), .metadata("avro.schema"), 20),
            (
                header([("avro.schema", []), ("avro.codec", Array("zstandart".utf8))]),
                .codec("zstandart"), 40
            ),
            (ContainerHeader.magic + [2, 1], .impossible("a size", -1), 5),
            (
                ContainerHeader.magic + [2, 0xfe, 0xff, 0xff, 0x7f],
                .tooLarge("the header", 16 << 20), 5
            ),
            (
                ContainerHeader.magic + [0xfe, 0xff, 0x7f],
                .impossible("a count of metadata", 0xfffff), 4
            ),
            (
                ContainerHeader.magic + Array(repeating: 0xff, count: 10),
                .noLong("a count of metadata"), 4
            ),
        ] as [([UInt8], ContainerFault.Problem, Int)])
    func `A header that cannot be is refused with its place`(
        bytes: [UInt8], problem: ContainerFault.Problem, offset: Int
    ) {
        let fault = #expect(throws: ContainerFault.self) { try Self.read(bytes) }
        #expect(fault == ContainerFault(problem: problem, offset: offset))
    }

    @Test(
        arguments: [
            (.null, [1, 0], .impossible("a count of records", -1), 0),
            (.null, [2, 1], .impossible("a size", -1), 1),
            (.null, [2, 0xfe, 0xff, 0xff, 0xff, 0x0f], .tooLarge("a block", 256 << 20), 1),
            (
                .null, [0xfe, 0xff, 0xff, 0x7f, 0], .impossible("a count of records", 134_217_727),
                0
            ),
            (.deflate, [2, 2, 7], .corrupt("invalid block type"), 2),
            (.deflate, [2, 0], .corrupt("it ends early"), 2),
        ] as [(ContainerHeader.Codec, [UInt8], ContainerFault.Problem, Int)])
    func `A block that cannot be is refused with its place`(
        codec: ContainerHeader.Codec, block: [UInt8], problem: ContainerFault.Problem, offset: Int
    ) {
        let header = Self.container([], codec: codec)
        let fault = #expect(throws: ContainerFault.self) {
            try Self.read(header + block + Self.marker.bytes)
        }
        #expect(fault == ContainerFault(problem: problem, offset: header.count + offset))
    }

    @Test func `Another marker than the header's is refused`() {
        var bytes = Self.container([(1, [1]), (1, [2])], codec: .null)
        bytes[bytes.count - 1] ^= 1
        let fault = #expect(throws: ContainerFault.self) { try Self.read(bytes) }
        #expect(fault == ContainerFault(problem: .marker, offset: bytes.count - 16))
    }

    @Test func `What keeps the bytes from coming is told`() {
        let fault = #expect(throws: ContainerFault.self) {
            let source: ContainerReader.Source = { () throws(ContainerReader.Unreadable) in
                throw ContainerReader.Unreadable("the disk is gone")
            }
            _ = try ContainerReader(source)
        }
        #expect(fault?.description == "at byte 0: the disk is gone")
    }

    @Test(arguments: [1, UInt64.random(in: 0..<1 << 32)])
    func `Changed bytes never crash the reader`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let types = EventDecoderTests.values
        for _ in 0..<2000 {
            let value = types.randomElement(using: &random)!
            let decoder = EventDecoder(try EventDecoderTests.schema(of: value.type))
            let codec = ContainerHeader.Codec.allCases.randomElement(using: &random)!
            var bytes = Self.container([(2, value.data + value.data)], codec: codec)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
                default: bytes.remove(at: index)
                }
            }
            for block in (try? Self.read(bytes)) ?? [] {
                Self.decodeAll(block.data, decoder)
            }
            // Most changes end at the container; the values alone meet them all.
            var data = value.data + value.data
            if !data.isEmpty {
                let index = Int.random(in: 0..<data.count, using: &random)
                data[index] = UInt8.random(in: 0...255, using: &random)
            }
            Self.decodeAll(data, decoder)
        }
    }

    private static func decodeAll(_ data: [UInt8], _ decoder: EventDecoder) {
        var position = 0
        for _ in 0..<2 {
            var text: [UInt8] = []
            guard let end = try? decoder.decode(data, at: position, into: &text) else { return }
            #expect(end >= position && end <= data.count)
            position = end
        }
    }
}
