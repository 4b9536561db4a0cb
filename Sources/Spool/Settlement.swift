public import Model

/// What became of a held batch, for the spool to act on.
public struct Settlement: Sendable {
    public enum Outcome: Sendable, Equatable {
        case delivered
        /// The same, and the object is to be deleted in the bucket at that time (`remove_after`).
        case stored(removal: Timestamp)
        /// Given up, since its window is over. `perhapsDelivered`: an answer was lost, so it may be stored.
        case dropped(perhapsDelivered: Bool)
        /// As `dropped`, but its object is kept in `expired/`.
        case archived(perhapsDelivered: Bool)
        /// Given up because a person said so.
        case discarded(perhapsDelivered: Bool)
    }

    public var batch: HeldBatch
    public var outcome: Outcome

    public init(_ batch: HeldBatch, _ outcome: Outcome) {
        self.batch = batch
        self.outcome = outcome
    }
}

/// A batch that was given up or archived, with everything that its record needs.
public struct Loss: Sendable, Equatable {
    /// Its texts stand in file names and in `totals`.
    public enum Kind: String, Sendable, CaseIterable {
        case dropped, archived, discarded
        /// It was archived before.
        case discardedFromArchive = "unarchived"
    }

    public var batch: BatchID
    public var kind: Kind
    /// An answer was lost: it may be stored although nobody said so.
    public var perhapsDelivered: Bool
    public var eventType: String
    public var events: Int
    public var bytes: UInt64
    /// The offset of its first event.
    public var offset: UInt64
    /// When its oldest and its youngest event were accepted.
    public var accepted: ClosedRange<Timestamp>
}

/// Sums over batches.
public struct LossSums: Sendable, Equatable {
    public var objects: UInt64 = 0
    public var events: UInt64 = 0
    public var bytes: UInt64 = 0
    /// Of the events, those that may be stored.
    public var perhapsDelivered: UInt64 = 0

    public init() {}

    mutating func add(_ loss: Loss) {
        objects += 1
        events += UInt64(loss.events)
        bytes += loss.bytes
        if loss.perhapsDelivered { perhapsDelivered += UInt64(loss.events) }
    }

    public static func + (left: LossSums, right: LossSums) -> LossSums {
        var sums = left
        sums.objects += right.objects
        sums.events += right.events
        sums.bytes += right.bytes
        sums.perhapsDelivered += right.perhapsDelivered
        return sums
    }
}

extension Loss {
    /// What a settlement loses; nil for one that was delivered.
    public init?(_ settlement: Settlement) {
        var (kind, perhapsDelivered): (Kind, Bool)
        switch settlement.outcome {
        case .delivered, .stored: return nil
        case .dropped(let perhaps): (kind, perhapsDelivered) = (.dropped, perhaps)
        case .archived(let perhaps):
            // Without its object nothing is left to be kept; and if it was delivered, a crash hid that.
            (kind, perhapsDelivered) =
                settlement.batch.isObjectMissing ? (.dropped, true) : (.archived, perhaps)
        case .discarded(let perhaps): (kind, perhapsDelivered) = (.discarded, perhaps)
        }
        let batch = settlement.batch
        if kind == .archived, batch.isObjectMissing {
            // Without its object nothing is left to be kept; if it was delivered, a crash hid that.
            (kind, perhapsDelivered) = (.dropped, true)
        }
        self.init(
            batch: batch.id, kind: kind, perhapsDelivered: perhapsDelivered,
            eventType: batch.eventType, events: batch.events, bytes: batch.size,
            offset: batch.offset, accepted: batch.acceptedFrom...batch.accepted)
    }
}

/// What one connector has lost since the spool was made. These only grow.
public struct LossTotals: Sendable, Equatable {
    public var dropped = LossSums()
    /// All that ever was archived, whatever became of it then.
    public var archived = LossSums()
    public var discarded = LossSums()
    /// Archived, then discarded.
    public var discardedFromArchive = LossSums()

    public init() {}

    /// All that somebody gave up, held or archived.
    public var givenUpByHand: LossSums { discarded + discardedFromArchive }

    subscript(kind: Loss.Kind) -> LossSums {
        get {
            switch kind {
            case .dropped: dropped
            case .archived: archived
            case .discarded: discarded
            case .discardedFromArchive: discardedFromArchive
            }
        }
        set {
            switch kind {
            case .dropped: dropped = newValue
            case .archived: archived = newValue
            case .discarded: discarded = newValue
            case .discardedFromArchive: discardedFromArchive = newValue
            }
        }
    }
}

/// Objects in `expired/`, summed.
public struct ArchiveSums: Sendable, Equatable {
    public var objects = 0
    public var events = 0
    public var bytes: UInt64 = 0

    public init() {}

    mutating func add(events: Int, bytes: UInt64) {
        objects += 1
        self.events += events
        self.bytes += bytes
    }

    mutating func add(_ other: ArchiveSums) {
        objects += other.objects
        events += other.events
        bytes += other.bytes
    }

    mutating func remove(events: Int, bytes: UInt64) {
        objects -= 1
        self.events -= events
        self.bytes -= bytes
    }
}

/// An archived object that waits for a person to decide.
public struct ArchivedBatch: Sendable, Equatable {
    public var id: BatchID
    public var eventType: String
    public var events: Int
    public var bytes: UInt64
    public var key: String
    /// When its oldest and its youngest event were accepted.
    public var accepted: ClosedRange<Timestamp>
    /// It may be stored although nobody said so.
    public var perhapsDelivered: Bool
}
