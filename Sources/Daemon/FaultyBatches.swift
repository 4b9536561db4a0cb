import Spool

/// Batches that are held one by one, because they themselves are at fault.
///
/// All of a connector's may be, if its bucket wants something that the objects have not, so nothing here looks at each;
/// and what is wrong is kept once for an event type, for the newest of its batches.
struct FaultyBatches {
    private var queues: [String: BatchQueue] = [:]
    private var reasons: [String: String] = [:]
    /// Those whose key another body has.
    private var conflicts: Set<BatchID> = []

    var isEmpty: Bool { queues.isEmpty }
    var count: Int { queues.values.reduce(0) { $0 + $1.sums.objects } }
    var conflictCount: Int { conflicts.count }
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

    mutating func insert(_ batch: HeldBatch, because reason: String, isConflict: Bool = false) {
        queues[batch.eventType, default: BatchQueue()].insert(batch)
        reasons[batch.eventType] = reason
        if isConflict { conflicts.insert(batch.id) }
    }

    mutating func removeFirst(_ eventType: String) -> HeldBatch? {
        let batch = queues[eventType]?.removeFirst()
        if let batch { conflicts.remove(batch.id) }
        removeIfEmpty(eventType)
        return batch
    }

    /// Takes out the batches whose key another body has: one, by its name, or all.
    mutating func removeConflicts(_ name: String?) -> [(batch: HeldBatch, reason: String)] {
        let wanted = conflicts.filter { name == nil || $0.name == name }
        guard !wanted.isEmpty else { return [] }
        var removed: [(HeldBatch, String)] = []
        for type in eventTypes {
            let reason = reasons[type] ?? ""
            let batches = queues[type]?.remove { wanted.contains($0.id) } ?? []
            removed += batches.map { ($0, reason) }
            removeIfEmpty(type)
        }
        conflicts.subtract(wanted)
        return removed
    }

    private mutating func removeIfEmpty(_ eventType: String) {
        guard queues[eventType]?.isEmpty == true else { return }
        queues[eventType] = nil
        reasons[eventType] = nil
    }

    /// All of them, by event type, which are no longer at fault then.
    mutating func removeAll() -> [String: BatchQueue] {
        let all = queues
        self = FaultyBatches()
        return all
    }
}
