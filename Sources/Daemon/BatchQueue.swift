import Spool

/// The held batches of one event type, oldest first.
///
/// Batches come in order and leave at the front, so a sorted array with a moving start is enough; the few that come
/// back after a failed attempt find their place by search.
struct BatchQueue {
    private var batches: [HeldBatch] = []
    private var start = 0

    var isEmpty: Bool { start == batches.count }
    var first: HeldBatch? { isEmpty ? nil : batches[start] }
    var all: ArraySlice<HeldBatch> { batches[start...] }

    mutating func insert(_ batch: HeldBatch) {
        if let last = batches.last, !isEmpty, batch.id < last.id {
            var (low, high) = (start, batches.count)
            while low < high {
                let middle = (low + high) / 2
                if batches[middle].id < batch.id { low = middle + 1 } else { high = middle }
            }
            batches.insert(batch, at: low)
        } else {
            batches.append(batch)
        }
    }

    mutating func removeFirst() -> HeldBatch {
        defer {
            start += 1
            if start == batches.count || start > 1024 && start > batches.count / 2 {
                batches.removeFirst(start)
                start = 0
            }
        }
        return batches[start]
    }
}
