import Spool

/// Batches that are held one by one, because they themselves are at fault.
///
/// All of a connector's may be, if its bucket wants something that the objects have not, so nothing here looks at each;
/// and what is wrong is kept once for an event type, for the newest of its batches.
struct FaultyBatches {
    private var queues: [String: BatchQueue] = [:]
    private var reasons: [String: String] = [:]

    var isEmpty: Bool { queues.isEmpty }
    var count: Int { queues.values.reduce(0) { $0 + $1.sums.objects } }
    /// The oldest batch of each event type.
    var firsts: [HeldBatch] { queues.values.compactMap(\.first) }
    /// What is wrong with batches of the type whose first is the oldest.
    var firstReason: String? {
        firsts.min { $0.id < $1.id }.flatMap { reasons[$0.eventType] }
    }
    var eventTypes: [String] { queues.keys.sorted() }

    subscript(eventType: String) -> BatchQueue? { queues[eventType] }

    func contains(_ batch: HeldBatch) -> Bool {
        queues[batch.eventType]?.contains(batch) ?? false
    }

    mutating func insert(_ batch: HeldBatch, because reason: String) {
        queues[batch.eventType, default: BatchQueue()].insert(batch)
        reasons[batch.eventType] = reason
    }

    mutating func removeFirst(_ eventType: String) -> HeldBatch? {
        let batch = queues[eventType]?.removeFirst()
        if queues[eventType]?.isEmpty == true {
            queues[eventType] = nil
            reasons[eventType] = nil
        }
        return batch
    }

    /// All of them, by event type, which are no longer at fault then.
    mutating func removeAll() -> [String: BatchQueue] {
        let all = queues
        self = FaultyBatches()
        return all
    }
}
