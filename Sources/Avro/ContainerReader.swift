internal import Deflate
internal import Zstandard

/// Reads an Avro object container file, block by block, from bytes that come in pieces.
///
/// One block is in memory at a time. All that the file says of itself is checked before it is believed, and nothing
/// of a block is given out before its marker was found. The format is drawn at `ContainerHeader`.
public struct ContainerReader: ~Copyable {
    /// Why there are no more bytes, though it is not the end.
    public struct Unreadable: Error {
        public var text: String

        public init(_ text: String) {
            self.text = text
        }
    }

    /// Gives the next piece of the file; an empty one at the end.
    public typealias Source = () throws(Unreadable) -> [UInt8]

    /// The records of one block, unpacked.
    public struct Block: Sendable, Equatable {
        public var count: Int
        public var data: [UInt8]
        /// Where its head begins in the file.
        public var offset: Int
    }

    /// The most bytes of a block, packed and unpacked. Writers make blocks of 16 KiB to some MiB.
    public static let longestBlock = 256 << 20
    /// The most bytes of the header; nearly all of it is the schema.
    public static let longestHeader = 16 << 20
    /// The most pairs in the header.
    static let mostPairs = 10_000
    /// The most records that a block may have beyond one a byte: a record may take no bytes at all, and a number that
    /// costs nothing to write must not keep a reader busy for ever.
    static let mostOfNoBytes = 1 << 20

    /// As in the file, in its order.
    public let metadata: [(name: String, value: [UInt8])]
    /// The text of the schema.
    public let schema: String
    public let codec: ContainerHeader.Codec
    private let marker: SyncMarker
    private var input: PieceReader
    private var inflater = BlockInflater()
    private var frames = FrameReader()

    /// Reads the header.
    public init(_ source: @escaping Source) throws(ContainerFault) {
        var input = PieceReader(source)
        let magic = try input.take(ContainerHeader.magic.count)
        guard magic == ContainerHeader.magic else {
            throw ContainerFault(problem: .noContainer, offset: 0)
        }
        let metadata = try Self.metadata(&input)
        func text(_ name: String) throws(ContainerFault) -> String? {
            guard let value = metadata.last(where: { $0.name == name })?.value else { return nil }
            guard let text = String(validating: value, as: UTF8.self) else {
                throw ContainerFault(problem: .metadata(name), offset: input.offset)
            }
            return text
        }
        guard let schema = try text(ContainerHeader.schemaName) else {
            throw ContainerFault(
                problem: .metadata(ContainerHeader.schemaName), offset: input.offset)
        }
        // The specification: a file that does not say has "null".
        let name = try text(ContainerHeader.codecName) ?? ContainerHeader.Codec.null.rawValue
        guard let codec = ContainerHeader.Codec(rawValue: name) else {
            throw ContainerFault(problem: .codec(name), offset: input.offset)
        }
        guard let marker = SyncMarker(try input.take(SyncMarker.size)) else {
            throw ContainerFault(problem: .truncated("the header"), offset: input.offset)
        }
        self.metadata = metadata
        self.schema = schema
        self.codec = codec
        self.marker = marker
        self.input = input
    }

    /// The next block; nil where the file ends after the last one.
    public mutating func nextBlock() throws(ContainerFault) -> Block? {
        if try input.isAtEnd() { return nil }
        let start = input.offset
        let count = try Self.long(&input, "a count of records")
        let size = try Self.size(&input, "a block", atMost: Self.longestBlock)
        let dataStart = input.offset
        let packed = try input.take(size)
        guard packed.count == size else {
            throw ContainerFault(problem: .truncated("a block"), offset: input.offset)
        }
        let markerStart = input.offset
        let marker = try input.take(SyncMarker.size)
        guard marker.count == SyncMarker.size else {
            throw ContainerFault(problem: .truncated("a sync marker"), offset: input.offset)
        }
        guard marker == self.marker.bytes else {
            throw ContainerFault(problem: .marker, offset: markerStart)
        }
        let data = try unpack(packed, at: dataStart)
        guard count >= 0, count <= data.count + Self.mostOfNoBytes else {
            throw ContainerFault(problem: .impossible("a count of records", count), offset: start)
        }
        return Block(count: Int(count), data: data, offset: start)
    }

    private mutating func unpack(
        _ packed: [UInt8], at offset: Int
    ) throws(ContainerFault) -> [UInt8] {
        switch codec {
        case .null: packed
        case .deflate: try inflate(packed, at: offset)
        case .zstandard: try decompress(packed, at: offset)
        }
    }

    private mutating func decompress(
        _ packed: [UInt8], at offset: Int
    ) throws(ContainerFault) -> [UInt8] {
        var result = Result<[UInt8], FrameReader.Failure>.success([])
        packed.withUnsafeBytes { packed in
            result = Result { () throws(FrameReader.Failure) in
                try frames.decompress(packed, limit: Self.longestBlock)
            }
        }
        switch result {
        case .success(let data): return data
        case .failure(let failure):
            let problem: ContainerFault.Problem =
                switch failure {
                case .corrupt(let why): .corrupt(why)
                case .truncated: .corrupt("it ends early")
                case .tooLong: .tooLarge("a block", Self.longestBlock)
                }
            throw ContainerFault(problem: problem, offset: offset)
        }
    }

    private mutating func inflate(
        _ packed: [UInt8], at offset: Int
    ) throws(ContainerFault) -> [UInt8] {
        var result = Result<[UInt8], BlockInflater.Failure>.success([])
        packed.withUnsafeBytes { packed in
            result = Result { () throws(BlockInflater.Failure) in
                try inflater.inflate(packed, limit: Self.longestBlock)
            }
        }
        switch result {
        case .success(let data): return data
        case .failure(let failure):
            let problem: ContainerFault.Problem =
                switch failure {
                case .corrupt(let why): .corrupt(why)
                case .truncated: .corrupt("it ends early")
                case .tooLong: .tooLarge("a block", Self.longestBlock)
                }
            throw ContainerFault(problem: problem, offset: offset)
        }
    }

    // MARK: The parts of the header

    private static func metadata(
        _ input: inout PieceReader
    ) throws(ContainerFault) -> [(name: String, value: [UInt8])] {
        var pairs: [(name: String, value: [UInt8])] = []
        while true {
            let start = input.offset
            let what = "a count of metadata"
            let count = try long(&input, what)
            if count == 0 { return pairs }
            // A negative count stands before the size of its pairs in bytes, which only helps to skip them.
            if count < 0 { _ = try long(&input, "a size of metadata") }
            guard count.magnitude <= mostPairs, pairs.count < mostPairs else {
                throw ContainerFault(problem: .impossible(what, count), offset: start)
            }
            for _ in 0..<count.magnitude {
                let name = String(decoding: try value(&input), as: UTF8.self)
                pairs.append((name, try value(&input)))
            }
        }
    }

    private static func value(_ input: inout PieceReader) throws(ContainerFault) -> [UInt8] {
        let size = try size(&input, "the header", atMost: longestHeader, after: input.offset)
        let value = try input.take(size)
        guard value.count == size else {
            throw ContainerFault(problem: .truncated("the header"), offset: input.offset)
        }
        return value
    }

    private static func size(
        _ input: inout PieceReader, _ what: String, atMost limit: Int, after before: Int = 0
    ) throws(ContainerFault) -> Int {
        let start = input.offset
        let size = try long(&input, "a size")
        guard size >= 0 else {
            throw ContainerFault(problem: .impossible("a size", size), offset: start)
        }
        guard size <= limit - before else {
            throw ContainerFault(problem: .tooLarge(what, limit), offset: start)
        }
        return Int(size)
    }

    private static func long(
        _ input: inout PieceReader, _ what: String
    ) throws(ContainerFault) -> Int64 {
        let start = input.offset
        var bytes: [UInt8] = []
        while true {
            guard let byte = try input.next() else {
                throw ContainerFault(problem: .truncated(what), offset: input.offset)
            }
            bytes.append(byte)
            switch VariableLong.read(bytes) {
            case .number(let number, _): return number
            case .incomplete: continue
            case .impossible: throw ContainerFault(problem: .noLong(what), offset: start)
            }
        }
    }
}
