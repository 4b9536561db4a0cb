import Avro
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
}
