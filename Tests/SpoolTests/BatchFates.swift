import Model

@testable import Spool

/// What must be true of each batch through all lives of a daemon: where it may be found after what was asked of it.
///
/// It knows of no file but the names in `sealed/` and `expired/`.
struct BatchFates {
    enum Fate: Equatable {
        case held
        /// Asked for in this life, and not told yet that it is done.
        case asked(Settlement.Outcome)
        case delivered
        case lost(perhaps: Bool)
        case archived(perhaps: Bool)
        case askedToReturn(perhaps: Bool)
        case askedToGo(perhaps: Bool)
    }

    private(set) var fates: [BatchID: Fate] = [:]
    private(set) var totals: [ConnectorName: LossTotals] = [:]
    private(set) var findings: [String] = []
    private var batches: [BatchID: HeldBatch] = [:]

    mutating func sealed(_ batch: HeldBatch) {
        batches[batch.id] = batch
        switch fates[batch.id] {
        case nil, .held, .askedToReturn: fates[batch.id] = .held
        case .some(let fate): find(batch.id, "is held, after \(fate)")
        }
    }

    mutating func asks(_ settlement: Settlement) {
        if settlement.batch.isObjectMissing, case .archived = settlement.outcome {
            fates[settlement.batch.id] = .asked(.dropped(perhapsDelivered: true))
        } else {
            fates[settlement.batch.id] = .asked(settlement.outcome)
        }
    }

    /// Batches in the archive, oldest first.
    var archived: [BatchID] {
        fates.filter { if case .archived = $0.value { true } else { false } }.keys.sorted()
    }

    /// Whether it is open which batches are in the archive: what was asked for may be under way, or have failed.
    func isArchiveOpen(_ connector: ConnectorName) -> Bool {
        fates.contains { id, fate in
            switch fate {
            case .asked(.archived), .askedToReturn, .askedToGo: id.connector == connector
            default: false
            }
        }
    }

    mutating func asksToReturn(_ batch: BatchID) {
        guard case .archived(let perhaps) = fates[batch] else { return }
        fates[batch] = .askedToReturn(perhaps: perhaps)
    }

    mutating func asksToGo(_ batch: BatchID) {
        guard case .archived(let perhaps) = fates[batch] else { return }
        fates[batch] = .askedToGo(perhaps: perhaps)
    }

    // MARK: What is told

    mutating func settled(_ batch: BatchID) {
        switch fates[batch] {
        case .asked(let outcome): complete(batch, outcome)
        // Asked for twice after a lost answer.
        case .delivered, .lost, .archived: break
        case .some(let fate): find(batch, "is settled, after \(fate)")
        case nil: find(batch, "is settled and was never sealed")
        }
    }

    mutating func discarded(_ batch: BatchID) {
        guard case .askedToGo(let perhaps) = fates[batch] else { return }
        fates[batch] = .lost(perhaps: perhaps)
        count(batch, .discardedFromArchive, perhaps)
    }

    private mutating func complete(_ batch: BatchID, _ outcome: Settlement.Outcome) {
        switch outcome {
        case .delivered, .stored:
            fates[batch] = .delivered
        case .dropped(let perhaps):
            fates[batch] = .lost(perhaps: perhaps)
            count(batch, .dropped, perhaps)
        case .discarded(let perhaps):
            fates[batch] = .lost(perhaps: perhaps)
            count(batch, .discarded, perhaps)
        case .archived(let perhaps):
            fates[batch] = .archived(perhaps: perhaps)
            count(batch, .archived, perhaps)
        }
    }

    private mutating func count(_ id: BatchID, _ kind: Loss.Kind, _ perhaps: Bool) {
        guard let batch = batches[id] else { return find(id, "is lost and was never sealed") }
        var sums = totals[id.connector, default: LossTotals()][kind]
        sums.objects += 1
        sums.events += UInt64(batch.events)
        sums.bytes += batch.size
        if perhaps { sums.perhapsDelivered += UInt64(batch.events) }
        totals[id.connector, default: LossTotals()][kind] = sums
    }

    // MARK: What lies there

    /// Compares with the names that a new life finds, and decides what was open.
    mutating func compare(held: Set<BatchID>, archived: Set<BatchID>) {
        for id in held where archived.contains(id) { find(id, "is held and archived") }
        for (id, fate) in fates {
            if held.contains(id) {
                switch fate {
                // What was delivered and then forgotten in a power loss is delivered again.
                case .held, .asked, .delivered, .askedToReturn: fates[id] = .held
                case .lost, .archived, .askedToGo: find(id, "is held, after \(fate)")
                }
            } else if archived.contains(id) {
                switch fate {
                case .asked(.archived(let perhaps)):
                    complete(id, .archived(perhapsDelivered: perhaps))
                case .archived: break
                case .askedToReturn(let perhaps), .askedToGo(let perhaps):
                    fates[id] = .archived(perhaps: perhaps)
                default: find(id, "is archived, after \(fate)")
                }
            } else {
                switch fate {
                case .asked(.archived), .held, .archived, .askedToReturn:
                    find(id, "is gone, after \(fate)")
                case .asked(let outcome): complete(id, outcome)
                case .askedToGo: discarded(id)
                case .delivered, .lost: break
                }
            }
        }
    }

    private mutating func find(_ batch: BatchID, _ what: String) {
        findings.append("batch \(batch.connector) \(batch.name) \(what)")
    }
}
