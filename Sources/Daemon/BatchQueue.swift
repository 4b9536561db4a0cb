import Spool

/// The held batches of one event type, oldest first.
///
/// Batches come in order and leave at the front; the few that come back after a failed attempt find their place by
/// search. A million may wait, so only the oldest and the newest are there as they are, and all between them in packed
/// runs: `front`, then `middle`, then `tail`. The front is empty only if nothing waits at all.
struct BatchQueue {
    private var front: ArraySlice<HeldBatch> = []
    private var middle: [PackedRun] = []
    /// Of the runs in `middle`, the first that was not yet taken apart.
    private var nextRun = 0
    private var tail: [HeldBatch] = []
    /// Of all that is in it.
    private(set) var sums = BatchSums()

    private struct PackedRun {
        var batches: PackedBatches
        var last: BatchID

        init(_ batches: some BidirectionalCollection<HeldBatch>, last: BatchID) {
            self.batches = PackedBatches(batches)
            self.last = last
        }
    }

    /// Batches that are packed together.
    static let runLength = 64

    init() {}

    private init(sorted batches: [HeldBatch]) {
        for batch in batches { append(batch) }
    }

    var isEmpty: Bool { front.isEmpty }
    var first: HeldBatch? { front.first }
    var last: BatchID? { tail.last?.id ?? middle.last?.last ?? front.last?.id }
    /// All of them, unpacked.
    var all: [HeldBatch] {
        Array(front) + middle[nextRun...].flatMap { Array($0.batches) } + tail
    }

    /// The oldest.
    func prefix(_ count: Int) -> ArraySlice<HeldBatch> {
        front.count >= count ? front.prefix(count) : all.prefix(count)
    }

    func contains(_ batch: HeldBatch) -> Bool {
        guard let last, !(last < batch.id) else { return false }
        if let end = front.last, !(end.id < batch.id) { return Self.find(batch, in: front).isThere }
        if let start = tail.first, !(batch.id < start.id) {
            return Self.find(batch, in: tail[...]).isThere
        }
        return middle[nextRun...].first { !($0.last < batch.id) }?.batches
            .contains { $0.id == batch.id } ?? false
    }

    /// Where a batch is, or belongs, in a sorted list.
    private static func find(
        _ batch: HeldBatch, in list: ArraySlice<HeldBatch>
    ) -> (index: Int, isThere: Bool) {
        var (low, high) = (list.startIndex, list.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if list[middle].id < batch.id { low = middle + 1 } else { high = middle }
        }
        return (low, low < list.endIndex && list[low].id == batch.id)
    }

    /// False where it is in it already.
    @discardableResult
    mutating func insert(_ batch: HeldBatch) -> Bool {
        if last.map({ $0 < batch.id }) ?? true {
            append(batch)
            return true
        }
        if let end = front.last, !(end.id < batch.id) {
            let (index, isThere) = Self.find(batch, in: front)
            if isThere { return false }
            front.insert(batch, at: index)
        } else if let start = tail.first, !(batch.id < start.id) {
            let (index, isThere) = Self.find(batch, in: tail[...])
            if isThere { return false }
            tail.insert(batch, at: index)
        } else {
            // Behind the front and before the tail: in the first run that ends behind it, or after the last.
            let run = middle[nextRun...].firstIndex { !($0.last < batch.id) }
            var batches = run.map { Array(middle[$0].batches) } ?? []
            let (index, isThere) = Self.find(batch, in: batches[...])
            if isThere { return false }
            batches.insert(batch, at: index)
            let packed = PackedRun(batches, last: batches.last?.id ?? batch.id)
            if let run { middle[run] = packed } else { middle.append(packed) }
        }
        sums.add(batch)
        return true
    }

    private mutating func append(_ batch: HeldBatch) {
        sums.add(batch)
        if nextRun == middle.count, tail.isEmpty, front.count < Self.runLength {
            front.append(batch)
            return
        }
        tail.append(batch)
        guard tail.count >= Self.runLength else { return }
        middle.append(PackedRun(tail, last: batch.id))
        tail = []
    }

    /// Takes over batches none of which is in it.
    mutating func insert(_ others: BatchQueue) {
        self = BatchQueue(sorted: (all + others.all).sorted { $0.id < $1.id })
    }

    mutating func removeFirst() -> HeldBatch {
        let batch = front.removeFirst()
        sums.remove(batch)
        if front.isEmpty { refill() }
        return batch
    }

    private mutating func refill() {
        guard nextRun < middle.count else {
            front = tail[...]
            (middle, nextRun, tail) = ([], 0, [])
            return
        }
        front = Array(middle[nextRun].batches)[...]
        nextRun += 1
        // Each run is moved at most once for each that was taken apart.
        if nextRun > 16, 2 * nextRun > middle.count {
            middle.removeFirst(nextRun)
            nextRun = 0
        }
    }

    /// Takes out all that a condition holds for.
    mutating func remove(where isWanted: (HeldBatch) -> Bool) -> [HeldBatch] {
        let all = all
        let removed = all.filter(isWanted)
        guard !removed.isEmpty else { return [] }
        self = BatchQueue(sorted: all.filter { !isWanted($0) })
        return removed
    }
}
