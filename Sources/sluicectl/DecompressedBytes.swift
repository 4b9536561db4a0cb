import Avro
import Deflate
import Zstandard

extension ObjectBytes {
    /// What a whole object may be compressed with.
    enum Codec: String { case gzip, zstd }

    /// What the compressed data in these bytes holds.
    func decompressed(_ codec: Codec) -> ObjectBytes {
        let data: any DecompressedBytes =
            switch codec {
            case .gzip: ReaderBytes(CompressedBytes(self), GzipReader())
            case .zstd: ReaderBytes(CompressedBytes(self), FrameReader())
            }
        return ObjectBytes { () throws(Unreadable) in try data.next() }
    }
}

/// Compressed data, of any number of members or frames, as it is decompressed.
private protocol DecompressedBytes: AnyObject {
    /// The next piece; an empty one at the end.
    func next() throws(ObjectBytes.Unreadable) -> [UInt8]
}

/// The compressed bytes, of which a decompressor takes as many as it wants.
private struct CompressedBytes {
    private let bytes: ObjectBytes
    private var piece: [UInt8] = []
    private var position = 0
    /// Of all bytes, those that were taken.
    private(set) var offset = 0
    private(set) var isAtEnd = false

    init(_ bytes: ObjectBytes) {
        self.bytes = bytes
    }

    /// Gives what is at hand to `read`, and a piece of memory for what comes out; answers that.
    mutating func feed<Failure>(
        _ read: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) throws(Failure) -> (
            consumed: Int, produced: Int
        )
    ) throws(ObjectBytes.Unreadable) -> Result<[UInt8], Failure> {
        if position == piece.count, !isAtEnd {
            (piece, position) = (try bytes.next(), 0)
            isAtEnd = piece.isEmpty
        }
        var result = Result<(consumed: Int, produced: Int), Failure>.success((0, 0))
        let output = [UInt8](unsafeUninitializedCapacity: ObjectBytes.pieceSize) { output, count in
            result = piece[position...].withUnsafeBytes { input in
                Result { () throws(Failure) in
                    try read(input, UnsafeMutableRawBufferPointer(output))
                }
            }
            if case .success(let used) = result { count = used.produced }
        }
        return result.map { used in
            position += used.consumed
            offset += used.consumed
            return output
        }
    }
}

private final class ReaderBytes<Reader: Decompressor & ~Copyable>: DecompressedBytes {
    private var source: CompressedBytes
    private var reader: Reader

    init(_ source: CompressedBytes, _ reader: consuming Reader) {
        self.source = source
        self.reader = reader
    }

    func next() throws(ObjectBytes.Unreadable) -> [UInt8] {
        while true {
            let read = try source.feed { input, output throws(Reader.Failure) in
                try reader.read(input, into: output)
            }
            do throws(Reader.Failure) {
                let output = try read.get()
                if !output.isEmpty { return output }
                guard source.isAtEnd else { continue }
                try reader.finish()
                return []
            } catch {
                let codec = Reader.codec.rawValue
                guard let why = Reader.damage(error) else {
                    throw ObjectBytes.Unreadable(
                        "the \(codec) data ends early, at byte \(source.offset)")
                }
                throw ObjectBytes.Unreadable(
                    "the \(codec) data is damaged after byte \(source.offset): \(why)")
            }
        }
    }
}

/// What a whole object can be decompressed by.
private protocol Decompressor: ~Copyable {
    associatedtype Failure: Error
    static var codec: ObjectBytes.Codec { get }
    /// What is wrong with the data; nil: it only ends early.
    static func damage(_ failure: Failure) -> String?
    mutating func read(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> (consumed: Int, produced: Int)
    func finish() throws(Failure)
}

extension GzipReader: Decompressor {
    fileprivate static var codec: ObjectBytes.Codec { .gzip }
    fileprivate static func damage(_ failure: Failure) -> String? {
        if case .corrupt(let why) = failure { why } else { nil }
    }
}

extension FrameReader: Decompressor {
    fileprivate static var codec: ObjectBytes.Codec { .zstd }
    fileprivate static func damage(_ failure: Failure) -> String? {
        if case .corrupt(let why) = failure { why } else { nil }
    }
}
