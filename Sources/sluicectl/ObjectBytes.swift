import Avro
import Deflate
import Files
import Glibc

/// The bytes of an object, in pieces; the first can be looked at before they are taken.
final class ObjectBytes {
    typealias Unreadable = ContainerReader.Unreadable

    static let pieceSize = 256 << 10

    private let source: ContainerReader.Source
    private var ahead: [UInt8] = []

    init(_ source: @escaping ContainerReader.Source) {
        self.source = source
    }

    /// What a descriptor reads, which stays open and belongs to the caller.
    convenience init(descriptor: CInt) {
        self.init { () throws(Unreadable) -> [UInt8] in
            while true {
                var code: CInt = 0
                let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
                    let result = read(descriptor, buffer.baseAddress, buffer.count)
                    code = result < 0 ? errno : 0
                    count = max(0, result)
                }
                if code == 0 { return piece }
                if code != EINTR { throw Unreadable(errorText(code)) }
            }
        }
    }

    /// The first bytes, which are not taken; fewer only where there are no more.
    func first(_ count: Int) throws(Unreadable) -> ArraySlice<UInt8> {
        while ahead.count < count {
            let piece = try source()
            if piece.isEmpty { break }
            ahead += piece
        }
        return ahead.prefix(count)
    }

    /// The next piece; an empty one at the end.
    func next() throws(Unreadable) -> [UInt8] {
        if ahead.isEmpty { return try source() }
        defer { ahead = [] }
        return ahead
    }

    /// What the gzip data in these bytes holds.
    func decompressed() -> ObjectBytes {
        let gzip = GzipData(self)
        return ObjectBytes { () throws(Unreadable) in try gzip.next() }
    }
}

/// Gzip data, any number of members, as it is decompressed.
private final class GzipData {
    private let bytes: ObjectBytes
    private var reader = GzipReader()
    private var piece: [UInt8] = []
    private var position = 0
    /// Of the compressed bytes, those that are used.
    private var offset = 0

    init(_ bytes: ObjectBytes) {
        self.bytes = bytes
    }

    func next() throws(ObjectBytes.Unreadable) -> [UInt8] {
        while true {
            if position == piece.count {
                (piece, position) = (try bytes.next(), 0)
                if piece.isEmpty {
                    try check { () throws(GzipReader.Failure) in try reader.finish() }
                    return []
                }
            }
            let output = try check { () throws(GzipReader.Failure) in try decompress() }
            if !output.isEmpty { return output }
        }
    }

    private func decompress() throws(GzipReader.Failure) -> [UInt8] {
        var result = Result<Int, GzipReader.Failure>.success(0)
        let output = [UInt8](unsafeUninitializedCapacity: ObjectBytes.pieceSize) { output, count in
            result = piece[position...].withUnsafeBytes { input in
                Result { () throws(GzipReader.Failure) in
                    let used = try reader.read(input, into: UnsafeMutableRawBufferPointer(output))
                    count = used.produced
                    return used.consumed
                }
            }
        }
        let consumed = try result.get()
        position += consumed
        offset += consumed
        return output
    }

    private func check<Success>(
        _ step: () throws(GzipReader.Failure) -> Success
    ) throws(ObjectBytes.Unreadable) -> Success {
        do throws(GzipReader.Failure) {
            return try step()
        } catch {
            switch error {
            case .truncated:
                throw ObjectBytes.Unreadable("the gzip data ends early, at byte \(offset)")
            case .corrupt(let why):
                throw ObjectBytes.Unreadable(
                    "the gzip data is damaged after byte \(offset): \(why)")
            }
        }
    }
}
