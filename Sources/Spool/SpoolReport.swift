public import Model

/// What the spool tells its owner, in order.
public enum SpoolReport: Sendable {
    /// What lies in the spool was read, at the start or after a failure.
    case opened(SpoolContents)
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
    /// Files in a connector's directory wait, since it holds as much as its `max_held` lets it.
    case connectorWaits(ConnectorName, held: ByteCount, most: ByteCount)
    case connectorResumed(ConnectorName)
    /// A file was looked at and not taken as it is.
    case fileRefused(FileRefusal)
    /// A file was read to its end, and some of its lines went to quarantine.
    case eventsRefused(EventsRefusal)
    /// Events that nobody wants were dropped, as `unmatched = "discard"` says.
    case discarded(events: Int, file: String)
    /// Events of a file have members that their schemas do not know. They were left out; the file may be read again.
    case membersIgnored([IgnoredMembers], file: String)
    case sealed([HeldBatch])
    /// Settled for good.
    case settled([BatchID])
    /// Settling failed; it will be tried when it is asked for again, with the same outcome.
    case settleFailed([BatchID], SpoolFailure)
    /// Batches that an earlier process gave up or archived just before it ended; it may have told of them.
    case lossesFound([Loss])
    /// Batches that were archived, and that somebody has given up now.
    case archiveDiscarded([Loss])
    /// What was lost since the spool was made has changed.
    case lost([ConnectorName: LossTotals])
    /// What is in `expired/` has changed.
    case archived([ConnectorName: ArchiveSums])
    /// Things in quarantine are read again; with a connector, only what that one refused. They left it.
    case quarantineRetried([QuarantineItem], ConnectorName?)
    /// Things in quarantine are about to be removed, since somebody gave them up. A crash may tell it again.
    case quarantineDiscarded([QuarantineItem])
    /// So many things have left quarantine otherwise.
    case quarantineLeft(Int)
    case damaged(path: String, reason: String)
    /// When the first open batch is old enough to be cut; nil: none is open.
    case due(Duration?)
    /// What is under way changed.
    case activity(SpoolActivity)
}

/// What lies in a spool that was just read.
public struct SpoolContents: Sendable {
    /// Everything that waits to be delivered; the oldest of each connector first. Packed, so that very many take little
    /// memory while they are handed over.
    public var held: FlattenSequence<[PackedBatches]>
    public var quarantined: Int
    public var archived: [ConnectorName: ArchiveSums]
    /// Exports that are to be deleted in the bucket, in no order.
    public var stored: [StoredExport]
    /// What was lost since the spool was made.
    public var lost: [ConnectorName: LossTotals]
    /// The latest moment, by the spool clock, at which anything was accepted: the clock never stands behind it.
    public var latestClock: Duration?
}

public struct SpoolActivity: Sendable, Equatable {
    /// Claimed event files that have not left `active/`.
    public var activeFiles = 0
    /// As large as they are on the disk.
    public var activeBytes: UInt64 = 0
    /// Files that somebody still writes into.
    public var writtenFiles = 0
    /// Batches that are open or not yet sealed.
    public var unsealedBatches = 0
    /// Everything claimed has been read.
    public var isIdle = true
    /// The last look into `incoming/` found nothing more to claim.
    public var isIncomingEmpty = true
    /// The last look left files where they are for want of room, and took none: nothing is claimed until something leaves.
    public var isWithheld = false
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

/// Members that are not in an object because the schema does not have them.
public struct IgnoredMembers: Sendable, Equatable {
    public var eventType: String
    public var count: Int
    /// The name of the first of them.
    public var first: String
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
        /// It is taken later: once its writer has closed it, or its connector is back in the configuration.
        case waits
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
