internal import Digest
internal import Encoding

/// Memory that encoding uses from event to event: nothing is allocated once it has grown to what events need.
final class EventScratch {
    /// Where a fault lies: the innermost step first.
    enum Step {
        /// An index into the schema's `names`.
        case field(Int)
        case item(Int)
        case key(JSONPiece)
    }

    /// A stack: the fields of open records, the items of open arrays, the keys and values of open maps.
    // Allocated here, freed in deinit, replaced by `push` alone.
    private(set) var pieces: UnsafeMutablePointer<JSONPiece>
    private(set) var pieceCount = 0
    private var pieceCapacity = 256
    var path: [Step] = []
    var digest = SHA256()
    var keys = EventKeys()
    private let plain = EncodedBytes()

    init() {
        pieces = .allocate(capacity: pieceCapacity)
        path.reserveCapacity(JSONScanner.deepest + 1)
    }

    deinit {
        pieces.deallocate()
    }

    func removeAll() {
        pieceCount = 0
        path.removeAll(keepingCapacity: true)
    }

    /// Puts `count` pieces that say `none` on the stack; returns the index of the first.
    @inline(__always)
    func pushNone(_ count: Int) -> Int {
        if pieceCapacity - pieceCount < count { grow(count) }
        let first = pieceCount
        (pieces + first).update(repeating: .none, count: count)
        pieceCount += count
        return first
    }

    @inline(__always)
    func push(_ piece: JSONPiece) {
        if pieceCapacity == pieceCount { grow(1) }
        pieces[pieceCount] = piece
        pieceCount += 1
    }

    @inline(__always)
    func pop(to count: Int) {
        pieceCount = count
    }

    private func grow(_ count: Int) {
        pieceCapacity = max(2 * pieceCapacity, pieceCount + count)
        let larger = UnsafeMutablePointer<JSONPiece>.allocate(capacity: pieceCapacity)
        larger.update(from: pieces, count: pieceCount)
        pieces.deallocate()
        pieces = larger
    }

    /// What a string stands for, followed by eight readable bytes. Good until the next call.
    func unescaped(
        _ text: UnsafePointer<UInt8>, _ piece: JSONPiece
    ) -> (bytes: UnsafePointer<UInt8>, count: Int) {
        plain.removeAll()
        let inside = text + piece.start + 1
        guard piece.isEscaped else { return (inside, piece.count - 2) }
        let room = plain.room(for: piece.count + 8)
        let output = room.baseAddress!  // `room` was asked for more than nothing.
        let count = AcceptedJSON.unescape(inside, piece.count - 2, into: output)
        return (UnsafePointer(output), count)
    }
}
