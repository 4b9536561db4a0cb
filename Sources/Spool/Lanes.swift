public import Files
public import Model

/// A queue of work: the seam between the spool and what runs it.
public protocol Lane: Sendable {
    func run(_ work: @escaping @Sendable () -> Void)
}

/// Where the spool's work runs, and what it sees of the world.
public struct SpoolSurroundings: Sendable {
    public var files: any FileSystem
    /// One thing at a time, in order: everything that moves names in the spool.
    public var storage: any Lane
    /// Syncs, one after another, which may take long.
    public var syncing: any Lane
    /// Several at once: removing files that nothing needs any more.
    public var removers: any Lane
    /// Several at once: reading, packing, appending.
    public var workers: any Lane
    /// How many workers there are.
    public var workerCount: Int
    /// Several at once, at most as many as there are workers: reading files that go as they are from end to end.
    public var hashing: any Lane
    /// Since some fixed moment; never goes back.
    public var uptime: @Sendable () -> Duration
    public var now: @Sendable () -> Timestamp
    /// The same in microseconds since 1970, where the second is too coarse.
    public var microseconds: @Sendable () -> UInt64
    /// The spool clock: since the spool was made, over restarts and boots; never goes back.
    public var clock: @Sendable () -> Duration
    /// Called on the storage lane, in order.
    public var report: @Sendable (SpoolReport) -> Void
    /// Calls what it is given, on any queue, once what was reported so far is written where people read it. Losses are
    /// counted only then: a crash may tell one twice, but never not at all.
    public var whenTold: @Sendable (_ then: @escaping @Sendable () -> Void) -> Void

    public init(
        files: any FileSystem, storage: any Lane, syncing: any Lane,
        removers: any Lane, workers: any Lane, workerCount: Int, hashing: any Lane,
        uptime: @escaping @Sendable () -> Duration, now: @escaping @Sendable () -> Timestamp,
        microseconds: @escaping @Sendable () -> UInt64,
        clock: @escaping @Sendable () -> Duration,
        report: @escaping @Sendable (SpoolReport) -> Void,
        whenTold: @escaping @Sendable (_ then: @escaping @Sendable () -> Void) -> Void
    ) {
        self.files = files
        self.storage = storage
        self.syncing = syncing
        self.removers = removers
        self.workers = workers
        self.workerCount = workerCount
        self.hashing = hashing
        self.uptime = uptime
        self.now = now
        self.microseconds = microseconds
        self.clock = clock
        self.report = report
        self.whenTold = whenTold
    }
}
