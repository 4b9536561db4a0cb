import Avro
public import Batching
import Files
public import Model

/// Owns the spool: what lies in which directory, and in which order it moves on.
///
/// ```
/// incoming/ --claim--> active/ --route, pack (workers)--> object --seal--> envelope --settle--> tombstone
///                         `------------- retire: every event of the file is sealed ------------'
/// ```
///
/// Invariants, each of which a crash at any operation must leave true:
/// - a claim is durable before any envelope that refers to the file;
/// - an object and its envelope are durable before the envelope's name;
/// - an event file leaves `active/`, durably, before a tombstone that covers any of it goes;
/// - what a failed sync covered is never trusted: it is made anew from `active/`.
///
/// After any failure the whole of intake stops and begins again from what lies on disk, by the same steps as at a
/// start: there is one way to recover, and it is always used.
///
/// Sendable: everything here is touched on the storage lane only; the public calls hop onto it.
public final class Spool: @unchecked Sendable {
    let surroundings: SpoolSurroundings
    var files: any FileSystem { surroundings.files }

    /// The routing in effect, and the one that is to be.
    var routing: Routing
    var wantedRouting: Routing
    let minimumFree: MinimumFree

    // What follows lives from one `open` to the next failure.
    var desk: Desk?
    /// Tells the callbacks of one desk from those of the one before it.
    var generation = 0
    var claimer = Claimer(left: [])
    var numbers = SequenceNumbers.none
    var offsets: [ConnectorName: Offsets] = [:]
    var newestHour: Hour?
    /// Event files by number, until they have left `active/`.
    var active = ActiveFiles()
    /// Event files that nothing needs any more.
    var leaving = Fifo<ActiveName>()
    /// Removers at work, and what waits for them to end.
    var removals = 0
    var afterRemovals: (() -> Void)?
    var unread = 0
    /// Batches that are open or not yet sealed, by number.
    var unsealed: [UInt64: StreamID] = [:]
    var written: [Batch] = []
    /// Files read to their end whose rejects wait to be sealed.
    var rejected: [EventFile] = []
    var hasher: FileHasher?
    /// Exports that wait to be sealed.
    var hashed: [SealedExport] = []
    var isSealScheduled = false
    /// A group is under way.
    var isSealing = false
    var tombstones: [Tombstone] = []
    var ledger = Ledger()
    var episodes = Episodes()
    var uploads = Uploads()
    var quarantine = QuarantineWork()
    /// nil: not yet read.
    var usedSchemas: UsedSchemas?
    /// Held batches with a marker on the disk.
    var uncertain: Set<BatchID> = []
    var origins = Origins()
    /// The latest moment that anything in the spool was accepted at.
    private var latestClock = Duration.zero
    /// Every event file with a smaller number has left `active/` durably.
    var retiredBelow: UInt64 = 0
    /// Who waits for batches to be sealed: those up to `through`, once the desk has said which that is.
    var flushes: [UInt64: (cut: Cut, through: UInt64?, done: @Sendable (Bool) -> Void)] = [:]
    var flushCount: UInt64 = 0
    var isMakingRoom = false
    /// Event files whose refused lines were told. After a failure they are read again, and not told again.
    var toldRejects: Set<UInt64> = []
    /// How often the device failed to read an event file, by its number.
    private var mediaFaults: [UInt64: Int] = [:]
    var hasSaidLeasesAreLacking = false

    var heldBytes = HeldBytes()
    var obstacle: IntakeObstacle?
    var policy = IntakePolicy()
    /// Connectors whose files wait for their `max_held`, as it was told.
    var overLimit: Set<ConnectorName> = []
    var ballast = Ballast()
    /// The disk was full, and there is not much more room yet.
    var wasFull = false
    var activity = SpoolActivity()
    var isActivityScheduled = false
    var isStopping = false
    /// Envelopes are being read, and what waits for that to end.
    var isOpening = false
    private var afterOpening: [() -> Void] = []
    private var isScanScheduled = false
    /// Connectors whose directories were empty at the last look, since when nothing was heard of them. Where a thousand
    /// are watched, one file must not have all of their directories read.
    var quiet: Set<ConnectorName> = []
    /// Somebody hears of what comes, and says so: else a look has to be everywhere.
    var isToldWhatComes = false

    /// A spool whose tree `SpoolTree.prepare` made ready. Nothing happens before `open`.
    public init(
        _ surroundings: SpoolSurroundings, routing: Routing, minimumFree: MinimumFree
    ) {
        self.surroundings = surroundings
        self.routing = routing
        wantedRouting = routing
        self.minimumFree = minimumFree
    }

    /// The spool clock; behind nothing that an earlier process read from it.
    var clock: Duration { max(surroundings.clock(), latestClock) }

    func report(_ report: SpoolReport) {
        surroundings.report(report)
    }

    // MARK: What the owner asks

    /// Reads what lies in the spool and begins intake; after a failure, again.
    public func open() {
        surroundings.storage.run { self.openNow() }
    }

    /// Looks into `incoming/`.
    public func scan() {
        surroundings.storage.run {
            self.quiet = []
            self.scheduleScan()
        }
    }

    /// Looks into those of `incoming/` of which something was heard (paths in the spool), and where there was something
    /// the last time. Only for who hears of everything: what lies in other directories is not found.
    public func scan(heard directories: Set<String>) {
        surroundings.storage.run {
            self.isToldWhatComes = true
            self.quiet = self.quiet.filter { !directories.contains(SpoolLayout.incoming($0)) }
            self.scheduleScan()
        }
    }

    /// As `scan`, and also tries again what was named and left.
    public func scanThoroughly() {
        surroundings.storage.run {
            self.claimer.forgetReported()
            self.quiet = []
            self.scheduleScan()
        }
    }

    /// Looks into `incoming/`, and calls `done` on the storage lane when that is over and was told of.
    public func look(done: @escaping @Sendable () -> Void) {
        surroundings.storage.run {
            self.quiet = []
            self.scheduleScan()
            // Behind the look, which lies on the lane by now.
            self.surroundings.storage.run { self.afterReports(done) }
        }
    }

    /// Calls `body` on the storage lane, behind everything that is about to be told.
    public func afterReports(_ body: @escaping @Sendable () -> Void) {
        surroundings.storage.run(body)
    }

    /// Seals open batches; `done` is called on the storage lane once they are sealed: true, or false where intake has stopped.
    public func flush(_ connector: ConnectorName?, done: @escaping @Sendable (Bool) -> Void) {
        surroundings.storage.run {
            self.flush(connector.map { .connector($0) } ?? .all, done: done)
        }
    }

    /// Seals the batches that are old enough.
    public func cutDue() {
        surroundings.storage.run {
            self.flush(.due(now: self.surroundings.uptime())) { _ in }
        }
    }

    /// Puts another routing into effect, after everything claimed under the old one is sealed.
    public func change(to routing: Routing) {
        surroundings.storage.run {
            self.wantedRouting = routing
            self.advanceRouting()
        }
    }

    /// Takes batches out of what is held, each as its outcome says.
    public func settle(_ settlements: [Settlement]) {
        surroundings.storage.run { self.whenOpened { self.settleNow(settlements) } }
    }

    // MARK: Opening

    private func openNow() {
        guard desk == nil, !isOpening else { return }
        isOpening = true
        do throws(FileError) {
            try Recovery(files).readEnvelopes(surroundings, clock: clock) { [surroundings] result in
                surroundings.storage.run { [weak self] in self?.opened(result) }
            }
        } catch {
            opened(.failure(error))
        }
    }

    private func opened(_ result: Result<Recovery, FileError>) {
        isOpening = false
        do throws(SpoolFailure) {
            try take(onFile { () throws(FileError) in try result.get() })
            report(.running)
        } catch {
            report(.failed(error))
        }
        let waiting = afterOpening
        afterOpening = []
        for body in waiting { body() }
        transferNext()
    }

    private func take(_ recovery: Recovery) throws(SpoolFailure) {
        let unreadTotals = Self.failure { () throws(SpoolFailure) in try readTotals() }
        for damage in recovery.damage {
            report(.damaged(path: damage.path, reason: damage.reason))
        }
        latestClock = max(latestClock, recovery.findings.latestClock ?? .zero)
        uncertain = Set(recovery.held.lazy.joined().filter(\.isUncertain).map(\.id))
        uploads.kept = Set(recovery.held.lazy.joined().filter(\.hasUpload).map(\.id))
        adopt(recovery)
        report(.opened(contents(recovery)))
        if let failure = unreadTotals ?? recovery.obstacle { throw failure }
        try begin(recovery)
    }

    /// Runs what gives batches other names, once nobody reads these names.
    func whenOpened(_ body: @escaping () -> Void) {
        if isOpening { afterOpening.append(body) } else { body() }
    }

    private func contents(_ recovery: Recovery) -> SpoolContents {
        SpoolContents(
            held: recovery.held.joined(), quarantined: recovery.quarantined,
            archived: recovery.findings.archived, stored: recovery.stored,
            lost: ledger.totals?.connectors ?? [:],
            latestClock: recovery.findings.latestClock)
    }

    private static func failure(_ body: () throws(SpoolFailure) -> Void) -> SpoolFailure? {
        do throws(SpoolFailure) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    private func begin(_ recovery: Recovery) throws(SpoolFailure) {
        try readRouting(isIdle: recovery.active.isEmpty)
        try onFile { () throws(FileError) in try makeDirectories() }
        numbers = try SequenceNumbers(above: recovery.highestNumber, files)
        offsets = [:]
        claimer = Claimer(left: recovery.claiming)
        claimer.rules.exports = routing.exports
        newestHour = recovery.newestHour
        // Told again where it still stands: whoever heard of the failure thinks that intake runs now.
        obstacle = nil
        overLimit = []
        quiet = []
        if try onFile({ () throws(FileError) in try findObstacle() }) == nil { ballast.make(files) }
        tombstones = recovery.findings.tombstones
        // Recovery has just synced the file system, so what it did not find in `active/` is gone for good.
        retiredBelow = recovery.lowestInActive ?? numbers.upcoming
        heldBytes = HeldBytes()
        for batch in recovery.held.joined() { heldBytes.add(batch.id.connector, batch.size) }
        try onFile { () throws(FileError) in try removeTombstones() }
        startDesk(sealedThrough: recovery.active.isEmpty ? [:] : recovery.findings.sealedThrough)
        take(recovery.active)
        advanceRouting()
        scheduleScan()
    }

    func startDesk(sealedThrough: [StreamID: Position]) {
        generation += 1
        let mine = generation
        active = ActiveFiles()
        leaving = Fifo()
        unread = 0
        unsealed = [:]
        written = []
        rejected = []
        hashed = []
        isSealing = false
        isStopping = false
        activity = SpoolActivity()
        let (lane, files, uptime) = (surroundings.storage, surroundings.files, surroundings.uptime)
        /// Runs on the storage lane what a worker has to say, unless its desk is no longer the one.
        // A desk must not hold the spool that holds it.
        let hop: @Sendable (@escaping @Sendable (Spool) -> Void) -> Void = { [weak self] body in
            lane.run { [weak self] in
                guard let self, self.generation == mine, !self.isStopping else { return }
                body(self)
            }
        }
        let output = DeskOutput(
            opened: { batch in hop { $0.batchOpened(batch) } },
            filesRead: { files in hop { $0.filesRead(files) } },
            written: { batch in hop { $0.batchWritten(batch) } },
            turnEnded: { hop { $0.makeRoom() } },
            idle: { hop { $0.deskIdle() } },
            due: { due in hop { $0.report(.due(due)) } },
            failed: { error in hop { $0.fail(.file(error)) } })
        let routing = routing
        let unreadable = Set(mediaFaults.filter { $0.value >= Limits.mediaFaults }.keys)
        hasher = FileHasher(
            surroundings.hashing, workerCount: surroundings.workerCount, files,
            unreadable: unreadable,
            output: FileHasher.Output(
                hashed: { file in hop { $0.fileHashed(file) } },
                refused: { file, reason in hop { $0.refuse(file, reason) } },
                failed: { error in hop { $0.fail(.file(error)) } }))
        desk = Desk(surroundings, output: output) { routerOutput in
            Router(
                routing, sealedThrough: sealedThrough, unreadable: unreadable, files,
                uptime: uptime, output: routerOutput)
        }
    }

    // MARK: Failing

    /// Stops intake. Once no worker is at work, the owner may `open` again.
    func fail(_ failure: SpoolFailure) {
        guard let desk, let hasher, !isStopping else { return }
        isStopping = true
        endFlushes(false)
        noteMediaFault(failure)
        if failure.isDiskFull {
            ballast.release(files)
            wasFull = true
        }
        desk.stop { [surroundings] in
            hasher.stop {
                surroundings.storage.run { [weak self] in
                    self?.afterRemovals { self?.end(failure) }
                }
            }
        }
    }

    private func end(_ failure: SpoolFailure) {
        desk = nil
        endQuarantine(failure)
        report(.due(nil))
        report(.failed(failure))
    }

    /// A device may fail once; a file that fails every time must not stop everything behind it.
    private func noteMediaFault(_ failure: SpoolFailure) {
        guard case .file(let error) = failure, error.isMediaFault, error.operation == "read",
            let name = error.path.split(separator: "/").last.flatMap({ ActiveName(String($0)) })
        else { return }
        mediaFaults[name.number, default: 0] += 1
    }

    func endFlushes(_ areSealed: Bool) {
        let waiting = flushes.values
        flushes = [:]
        for flush in waiting { flush.done(areSealed) }
    }

    /// Does what may fail; a failure stops intake.
    func attempt(_ body: () throws(FileError) -> Void) {
        do { try body() } catch { fail(.file(error)) }
    }

    // MARK: Scanning

    /// Several wishes to scan become one.
    func scheduleScan() {
        guard !isScanScheduled else { return }
        isScanScheduled = true
        surroundings.storage.run {
            self.isScanScheduled = false
            self.transferNext()
            self.claimNow()
        }
    }
}
