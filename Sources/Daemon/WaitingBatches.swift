import Model
import Spool

/// What a connector has to send, by event type.
///
/// There may be ten thousand types, and the oldest batch of all is wanted for each object: so the first batch of each
/// type also stands in a heap. An entry whose batch is no longer the first of its type is passed over when it comes up.
struct WaitingBatches {
    private(set) var queues: [String: BatchQueue] = [:]
    private var heap: [Entry] = []

    private struct Entry {
        var first: Position
        var eventType: String
    }

    var isEmpty: Bool { queues.isEmpty }
    var eventTypes: [String] { queues.keys.sorted() }
    /// The oldest of each event type.
    var firsts: [HeldBatch] { queues.values.compactMap(\.first) }

    subscript(eventType: String) -> BatchQueue? { queues[eventType] }

    /// False where it waits already.
    @discardableResult
    mutating func insert(_ batch: HeldBatch) -> Bool {
        let type = batch.eventType
        guard queues[type, default: BatchQueue()].insert(batch) else { return false }
        if queues[type]?.first?.id == batch.id { noteFirst(of: type) }
        return true
    }

    /// Takes over batches of a type none of which waits.
    mutating func insert(_ queue: BatchQueue, eventType: String) {
        queues[eventType, default: BatchQueue()].insert(queue)
        noteFirst(of: eventType)
    }

    mutating func takeFirst(_ eventType: String) -> HeldBatch? {
        let batch = queues[eventType]?.removeFirst()
        if queues[eventType]?.isEmpty == true { queues[eventType] = nil }
        noteFirst(of: eventType)
        return batch
    }

    /// The oldest first batch for which a condition holds. It is asked in order, and of each type at most once.
    mutating func oldest(where mayGo: (HeldBatch) -> Bool) -> HeldBatch? {
        var passed: [Entry] = []
        defer { for entry in passed { push(entry) } }
        while let entry = heap.first {
            guard let batch = queues[entry.eventType]?.first, batch.id.first == entry.first else {
                pop()
                continue
            }
            if mayGo(batch) { return batch }
            passed.append(entry)
            pop()
            // Another entry may say the same.
            while heap.first?.first == entry.first { pop() }
        }
        return nil
    }

    private mutating func noteFirst(of eventType: String) {
        guard let first = queues[eventType]?.first else { return }
        push(Entry(first: first.id.first, eventType: eventType))
    }

    // MARK: The heap

    private mutating func push(_ entry: Entry) {
        if heap.count > 2 * queues.count + 64 { rebuild() }
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[child].first < heap[(child - 1) / 2].first {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].first < heap[least].first {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    /// One entry for each type; sorted, which a heap may be.
    private mutating func rebuild() {
        heap = queues.compactMap { type, queue in
            queue.first.map { Entry(first: $0.id.first, eventType: type) }
        }
        .sorted { $0.first < $1.first }
    }
}
