public import Model

/// What the spool tells its owner, in order.
public enum SpoolReport: Sendable {
    /// What lies in the spool was read, at the start or after a failure: everything that waits to be delivered.
    case opened(held: [HeldBatch], quarantined: Int)
    /// Intake has begun.
    case running
    /// Intake has stopped: `retry` begins it again from what lies in the spool. Delivery can go on.
    case failed(SpoolFailure)
    /// The new routing is in effect.
    case routingChanged
    case claimed(files: Int, bytes: UInt64)
    /// Open writers cannot be seen here: files must stand still for a while instead. Said once.
    case leasesUnavailable
    case waiting(IntakeObstacle)
    case resumed
    /// A file was looked at and not taken as it is.
    case fileRefused(FileRefusal)
    /// A file was read to its end, and some of its lines went to quarantine.
    case eventsRefused(EventsRefusal)
    /// Events that nobody wants were dropped, as `unmatched = "discard"` says.
    case discarded(events: Int, file: String)
    case sealed([HeldBatch])
    case settled([BatchID])
    /// Settling a batch failed; it is delivered, and will be settled when it is asked for again.
    case settleFailed([BatchID], SpoolFailure)
    case damaged(path: String, reason: String)
    /// When the first open batch is old enough to be cut; nil: none is open.
    case due(Duration?)
    /// What is under way changed.
    case activity(SpoolActivity)
}

/// A sealed batch that waits to be delivered, as small as can be: there may be very many.
public struct HeldBatch: Sendable, Equatable {
    public var id: BatchID
    public var eventType: String
    public var events: Int
    /// Of the object.
    public var size: UInt64
    public var through: Position
    /// When its youngest event was accepted.
    public var accepted: Timestamp
    /// Its object is gone: it was delivered just before a crash, or the spool is damaged.
    public var isObjectMissing = false
    /// An earlier process sealed it, so its object is checked before it is sent.
    public var isFromEarlierProcess = false

    init(_ envelope: Envelope) {
        id = envelope.batch
        eventType = envelope.eventType
        events = envelope.events
        size = envelope.size
        through = envelope.through
        accepted = envelope.accepted.upperBound
    }
}

public struct SpoolActivity: Sendable, Equatable {
    /// Claimed event files that have not left `active/`.
    public var activeFiles = 0
    /// Files that somebody still writes into.
    public var writtenFiles = 0
    /// Batches that are open or not yet sealed.
    public var unsealedBatches = 0
    /// Everything claimed has been read.
    public var isIdle = true
    /// The last look into `incoming/` found nothing more to claim.
    public var isIncomingEmpty = true
    /// `incoming/` was looked into at least once.
    public var hasLooked = false
    /// A new routing waits until everything claimed under the old one is sealed.
    public var isChangingRouting = false

    public init() {}

    /// Nothing is left to seal, and nothing to claim.
    public var isEmpty: Bool {
        activeFiles == 0 && unsealedBatches == 0 && isIdle && isIncomingEmpty
    }
}

public enum IntakeObstacle: Sendable, Equatable {
    case diskNearlyFull(free: ByteCount, least: ByteCount)
    case inodesNearlyGone(free: UInt64, least: UInt64)
    /// The clock is before any time that can be right.
    case clockTooEarly(Timestamp)
    /// The clock is more than a day behind the newest hour in the spool.
    case clockBehind(Timestamp, newest: Hour)
}

public struct FileRefusal: Sendable, Equatable {
    public enum Fate: Sendable, Equatable {
        /// It lies there now.
        case quarantined(path: String)
        /// It was left where it is.
        case left
        /// It is taken once its writer has closed it.
        case awaitsWriter
    }

    /// Where it was dropped.
    public var file: String
    public var reason: String
    public var fate: Fate
}

public struct EventsRefusal: Sendable, Equatable {
    public var file: String
    public var refused: Int
    public var accepted: Int
    public var firstLine: Int
    public var firstReason: String
    /// Where they are.
    public var path: String
}
