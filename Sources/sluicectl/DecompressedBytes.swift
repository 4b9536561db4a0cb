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
            case .gzip: GzipBytes(CompressedBytes(self))
            case .zstd: ZstdBytes(CompressedBytes(self))
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

private final class GzipBytes: DecompressedBytes {
    private var source: CompressedBytes
    private var reader = GzipReader()

    init(_ source: CompressedBytes) {
        self.source = source
    }

    func next() throws(ObjectBytes.Unreadable) -> [UInt8] {
        while true {
            let read = try source.feed { input, output throws(GzipReader.Failure) in
                try reader.read(input, into: output)
            }
            do throws(GzipReader.Failure) {
                let output = try read.get()
                if !output.isEmpty { return output }
                guard source.isAtEnd else { continue }
                try reader.finish()
                return []
            } catch {
                throw switch error {
                case .truncated: .early("gzip", at: source.offset)
                case .corrupt(let why): .damaged("gzip", after: source.offset, why)
                }
            }
        }
    }
}

private final class ZstdBytes: DecompressedBytes {
    private var source: CompressedBytes
    private var reader = FrameReader()

    init(_ source: CompressedBytes) {
        self.source = source
    }

    func next() throws(ObjectBytes.Unreadable) -> [UInt8] {
        while true {
            let read = try source.feed { input, output throws(FrameReader.Failure) in
                try reader.read(input, into: output)
            }
            do throws(FrameReader.Failure) {
                let output = try read.get()
                if !output.isEmpty { return output }
                guard source.isAtEnd else { continue }
                try reader.finish()
                return []
            } catch {
                throw switch error {
                case .truncated, .tooLong: .early("zstd", at: source.offset)
                case .corrupt(let why): .damaged("zstd", after: source.offset, why)
                }
            }
        }
    }
}

extension ObjectBytes.Unreadable {
    fileprivate static func early(_ codec: String, at offset: Int) -> Self {
        Self("the \(codec) data ends early, at byte \(offset)")
    }

    fileprivate static func damaged(_ codec: String, after offset: Int, _ why: String) -> Self {
        Self("the \(codec) data is damaged after byte \(offset): \(why)")
    }
}
