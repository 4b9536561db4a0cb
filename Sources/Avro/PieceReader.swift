/// Bytes that come in pieces of any size, read in the sizes that a format asks for.
struct PieceReader {
    private let source: ContainerReader.Source
    private var piece: [UInt8] = []
    private var position = 0
    /// Bytes before the next one.
    private(set) var offset = 0

    init(_ source: @escaping ContainerReader.Source) {
        self.source = source
    }

    mutating func isAtEnd() throws(ContainerFault) -> Bool {
        try !refill()
    }

    /// The next byte; nil at the end.
    mutating func next() throws(ContainerFault) -> UInt8? {
        guard try refill() else { return nil }
        position += 1
        offset += 1
        return piece[position - 1]
    }

    /// The next bytes; fewer only at the end. Memory grows with the bytes that come, not with what is asked for.
    mutating func take(_ count: Int) throws(ContainerFault) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, try refill() {
            let part = piece[position...].prefix(count - bytes.count)
            bytes += part
            position += part.count
            offset += part.count
        }
        return bytes
    }

    /// False at the end.
    private mutating func refill() throws(ContainerFault) -> Bool {
        guard position == piece.count else { return true }
        do {
            piece = try source()
        } catch {
            throw ContainerFault(problem: .unreadable(error.text), offset: offset)
        }
        position = 0
        return !piece.isEmpty
    }
}
