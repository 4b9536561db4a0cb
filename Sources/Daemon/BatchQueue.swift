import Spool

/// The held batches of one event type, oldest first.
///
/// Batches come in order and leave at the front, so a sorted array with a moving start is enough; the few that come
/// back after a failed attempt find their place by search, and many at once by sorting.
struct BatchQueue {
    private var batches: [HeldBatch] = []
    private var start = 0
    /// Of all that is in it.
    private(set) var sums = BatchSums()

    var isEmpty: Bool { start == batches.count }
    var first: HeldBatch? { isEmpty ? nil : batches[start] }
    var last: HeldBatch? { isEmpty ? nil : batches.last }
    var all: ArraySlice<HeldBatch> { batches[start...] }

    func contains(_ batch: HeldBatch) -> Bool {
        let index = place(of: batch)
        return index < batches.count && batches[index].id == batch.id
    }

    /// Where a batch is, or belongs.
    private func place(of batch: HeldBatch) -> Int {
        guard !isEmpty, let last = batches.last, !(last.id < batch.id) else { return batches.count }
        var (low, high) = (start, batches.count)
        while low < high {
            let middle = (low + high) / 2
            if batches[middle].id < batch.id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// False where it is in it already.
    @discardableResult
    mutating func insert(_ batch: HeldBatch) -> Bool {
        let index = place(of: batch)
        if index < batches.count, batches[index].id == batch.id { return false }
        if index == start, start > 0 {
            // A probe comes back to where it was.
            start -= 1
            batches[start] = batch
        } else {
            batches.insert(batch, at: index)
        }
        sums.add(batch)
        return true
    }

    /// Takes over batches none of which is in it.
    mutating func insert(_ others: BatchQueue) {
        batches = (all + others.all).sorted { $0.id < $1.id }
        start = 0
        sums.add(others.sums)
    }

    mutating func removeFirst() -> HeldBatch {
        defer {
            start += 1
            if start == batches.count || start > 1024 && start > batches.count / 2 {
                batches.removeFirst(start)
                start = 0
            }
        }
        sums.remove(batches[start])
        return batches[start]
    }

    /// Takes out all that a condition holds for.
    mutating func remove(where isWanted: (HeldBatch) -> Bool) -> [HeldBatch] {
        let removed = all.filter(isWanted)
        guard !removed.isEmpty else { return [] }
        batches = all.filter { !isWanted($0) }
        start = 0
        for batch in removed { sums.remove(batch) }
        return removed
    }
}
