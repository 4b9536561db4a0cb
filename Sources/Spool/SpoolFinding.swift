public import Model

/// Something in a spool that is not as it should be.
public struct SpoolFinding: Sendable, Equatable {
    /// Below the spool's root; `.` for itself.
    public var path: String
    /// What is wrong.
    public var fault: String
    /// What it means for the events.
    public var meaning: String
    /// What to do about it.
    public var remedy: String
}

/// What lies in a spool, counted by the way.
public struct SpoolCensus: Sendable, Equatable {
    /// Files and their bytes.
    public struct Amount: Sendable, Equatable {
        public var files = 0
        public var bytes: UInt64 = 0

        mutating func add(_ bytes: UInt64) {
            files += 1
            self.bytes += bytes
        }
    }

    /// Files of all kinds that were looked at, and the bytes of them that were read.
    public var looked = Amount()

    /// In `incoming/`, to be claimed.
    public var dropped = Amount()
    /// In `incoming/`, with names that are left alone.
    public var unfinished = Amount()
    /// In `active/`.
    public var claimed = Amount()
    /// In `active/`, on their way there.
    public var claiming = Amount()
    /// Objects with envelopes.
    public var held = Amount()
    public var heldEvents: UInt64 = 0
    /// Objects of batches that are being written or were given up: a start makes them anew or removes them.
    public var unsealed = Amount()
    /// Of delivered and lost batches.
    public var tombstones = 0
    /// Exports that are to be deleted in their buckets some day.
    public var stored = 0
    /// Losses that a crash left, to be counted at the next start.
    public var uncountedLosses = 0
    /// In `expired/`.
    public var archived = Amount()
    public var archivedEvents: UInt64 = 0
    public var quarantined = Amount()
    /// Half-written small files: a start removes them.
    public var halfWritten = 0
    /// Of the spool, as `zone` and `partition`; nil where that cannot be read.
    public var identity: SpoolTree.Identity?
    /// Of the layout.
    public var version: Int?
    /// Connectors with something in `sealed/` or `expired/`, in the order of their names.
    public var connectors: [ConnectorName] = []
}

/// Who is told what is found, and how far it is.
public struct SpoolCheckListener {
    public var found: (SpoolFinding) -> Void
    /// Now and then.
    public var progress: (SpoolCensus) -> Void

    public init(
        found: @escaping (SpoolFinding) -> Void, progress: @escaping (SpoolCensus) -> Void
    ) {
        self.found = found
        self.progress = progress
    }
}
