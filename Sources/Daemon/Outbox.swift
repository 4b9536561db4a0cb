import Credentials
import Delivery
import Dispatch
import Files
import Model
import S3
import Spool

/// Everything that waits for one connector's bucket, and its way there.
///
/// The health of the connector says how much may be under way; the oldest batches go first. What the window gives up
/// leaves from here, too. The order of a life: `configure`, `take`, `pump`, `ended`, `settle`, `settled`.
final class Outbox {
    let name: ConnectorName
    var settings: ConnectorSettings?
    var health: ConnectorHealth
    var totals = OutboxTotals()
    /// What the spool says was lost since it was made.
    var losses = LossTotals()
    var rate = DeliveryRate()
    var failures = FailureCounts()

    var client: S3Client?
    var provider: (any CredentialsProvider)?
    let surroundings: OutboxSurroundings
    var clock: DaemonClock { surroundings.clock }
    var reporter: Reporter { surroundings.reporter }

    var waiting = WaitingBatches()
    var shipments: [BatchID: Shipment] = [:]
    /// Asked to be settled, and not yet off the disk.
    var settling: [BatchID: Settlement] = [:]
    var atFault = FaultyBatches()
    /// Those that wait for another key, and why.
    var rekeying: [BatchID: (batch: HeldBatch, reason: String)] = [:]
    /// Batches whose key somebody else was writing, and when they may be tried again.
    var postponed: [BatchID: (until: Instant, failures: Int)] = [:]
    /// Batches that may be stored although nobody said so.
    var uncertain: Set<BatchID> = []
    /// Of a connector that takes files.
    var fates = ExportFates()
    let lookups = ObjectLookups()
    /// Probes take event types in turn: the one that had the last.
    var lastProbed = ""
    /// What the connector was when it was last verified, or tried.
    var destination = ""
    /// The record that was kept last.
    var keptRevision = 0
    /// What the spool holds is known.
    var isFilled = false
    /// What is to be told as soon as it is.
    var untold: [ConnectorHealth.Action] = []
    /// The machine was started anew since an earlier process kept the health.
    var hasBooted = false
    /// New credentials could not be fetched, and that was told.
    var isRefreshFailing = false
    /// Files in its directory wait for its `max_held`.
    var isOverLimit = false
    /// Uploads that were given up and that the store is still to forget.
    var aborting = 0
    /// It was told that the bucket keeps parts of uploads that were given up.
    var hasToldPartsLeft = false
    var isStopped = false
    var isPumping = false
    let removals: Removals
    let timer: any DispatchSourceTimer

    /// Objects under way at once: enough to hide the latency of one, and far from what makes S3 slow down.
    static let mostUnderWay = 4
    /// Parts of one object at once.
    static let mostParts = 4

    init(_ name: ConnectorName, _ surroundings: OutboxSurroundings) {
        self.name = name
        self.surroundings = surroundings
        removals = Removals(name, surroundings)
        health = ConnectorHealth(at: surroundings.clock.instant())
        timer = DispatchSource.makeTimerSource(queue: .main)
        timer.setEventHandler { [weak self] in self?.pump() }
        timer.schedule(deadline: .distantFuture)
        timer.activate()
    }

    // MARK: Configuration

    /// Takes another configuration; nil: the connector has left it, and what it holds waits.
    func configure(
        _ settings: ConnectorSettings?, client: S3Client?, provider: (any CredentialsProvider)?
    ) {
        // A trouble lasts until a delivery proves that it is over, and then that is told.
        health.credentialsChanged(at: clock.instant())
        let wasAway = self.settings == nil && isFilled
        self.settings = settings
        self.client = client
        self.provider = provider
        if let settings {
            configureHealth(settings)
            // Nobody could hear what is at risk.
            if wasAway { perform(health.slept(at: clock.instant()), destination()) }
        }
        removals.configure(settings, client: client)
        retryFaulty()
        pump()
    }

    /// The configuration was read again and says the same, or a file of credentials has changed: whatever lies outside of
    /// the configuration may have been mended.
    func credentialsChanged() {
        provider?.forget()
        health.credentialsChanged(at: clock.instant())
        retryFaulty()
        pump()
    }

    /// What the source of the credentials did by itself.
    func credentialsTell(_ event: CredentialsEvent) {
        switch event {
        case .changed:
            health.credentialsChanged(at: clock.instant())
            pump()
        case .refreshed:
            isRefreshFailing = false
        case .refreshFailed(let reason, let until):
            // Tried again and again; told once.
            guard !isRefreshFailing else { return }
            isRefreshFailing = true
            reporter.refreshFailed(reason, until, destination())
        }
    }

    /// What was at fault before may not be any more.
    func retryFaulty() {
        fates.forgetFaults()
        for (type, queue) in atFault.removeAll() {
            waiting.insert(queue, eventType: type)
        }
    }

    // MARK: Batches

    /// Forgets what waits: the spool was opened, and tells all that it holds.
    func empty() {
        waiting = WaitingBatches()
        atFault = FaultyBatches()
        rekeying = [:]
        totals.held = BatchSums()
        for shipment in shipments.values { totals.held.add(shipment.batch) }
    }

    /// Everything that the spool held when it was opened has been taken.
    func fill() {
        guard !isFilled else { return }
        markAttempted()
        tellRestored()
    }

    /// Takes a batch that is held, unless it is known: what comes back from the archive may be told twice.
    func take(_ batch: HeldBatch) {
        guard settling[batch.id] == nil, shipments[batch.id] == nil, !atFault.contains(batch),
            rekeying[batch.id] == nil, enqueue(batch)
        else { return }
        totals.held.add(batch)
        if batch.isUncertain { uncertain.insert(batch.id) }
    }

    /// False where it waits already.
    @discardableResult
    func enqueue(_ batch: HeldBatch) -> Bool {
        waiting.insert(batch)
    }

    /// An earlier process may have ended with attempts under way: of each event type, those were among the first.
    private func markAttempted() {
        for queue in waiting.queues.values {
            for batch in queue.prefix(Self.mostUnderWay) where batch.isFromEarlierProcess {
                uncertain.insert(batch.id)
            }
        }
    }

    func settle(_ batch: HeldBatch, _ outcome: Settlement.Outcome) {
        totals.held.remove(batch)
        postponed[batch.id] = nil
        let settlement = Settlement(batch, outcome)
        settling[batch.id] = settlement
        switch outcome {
        case .dropped, .archived, .discarded:
            guard batch.hasUpload else { break }
            return abandonUpload(of: batch.id) { [surroundings] in
                surroundings.settle(settlement)
            }
        case .delivered, .stored: break
        }
        surroundings.settle(settlement)
    }

    /// It is off the disk; answers what it was settled as.
    func settled(_ id: BatchID) -> Settlement? {
        uncertain.remove(id)
        let settlement = settling.removeValue(forKey: id)
        if case .stored(let removal) = settlement?.outcome {
            removals.take(StoredExport(batch: id, removal: removal))
        }
        return settlement
    }

    /// Settling failed; it is asked for again a little later.
    func settleAgain(_ id: BatchID) {
        guard let settlement = settling[id] else { return }
        surroundings.settle(settlement)
    }

    var isEmpty: Bool {
        waiting.isEmpty && shipments.isEmpty && settling.isEmpty && atFault.isEmpty
            && rekeying.isEmpty
    }
    var isIdle: Bool {
        shipments.isEmpty && settling.isEmpty && rekeying.isEmpty && aborting == 0
    }
    var atFaultCount: Int { atFault.count }
    var firstFault: String? { atFault.firstReason }

    /// What is held of an event type, the first of each place it may be in; nil: of any.
    private func firsts(_ eventType: String?) -> [HeldBatch] {
        let underWay = shipments.values.map(\.batch)
        guard let eventType else {
            return waiting.firsts + atFault.firsts + underWay
        }
        return [waiting[eventType]?.first, atFault[eventType]?.first].compactMap(\.self)
            + underWay.filter { $0.eventType == eventType }
    }

    func oldest(_ eventType: String? = nil) -> HeldBatch? {
        firsts(eventType).min { $0.acceptedClock < $1.acceptedClock }
    }

    /// Whether nothing of what is held will go without somebody's help, or before long.
    var isStuck: Bool {
        guard shipments.isEmpty, rekeying.isEmpty else { return false }
        if client == nil { return true }
        switch health.state {
        case .delivering:
            let denied = Set(health.deniedEventTypes.compactMap(\.eventType))
            return waiting.queues.allSatisfy { $0.value.isEmpty || denied.contains($0.key) }
        case .backingOff(_, let trouble, _): return trouble.failures >= Self.failuresBeforeGivingUp
        case .misconfigured, .credentialsFailing, .paused: return true
        }
    }

    /// Whether it delivers nothing at present, or not all that it holds.
    var isTroubled: Bool {
        client == nil || health.state != .delivering || !health.deniedEventTypes.isEmpty
    }

    /// For a run that is to end when nothing is left to do.
    private static let failuresBeforeGivingUp = 4

    func stop() {
        isStopped = true
        timer.cancel()
        removals.stop()
    }
}

/// What an outbox needs of the daemon.
struct OutboxSurroundings {
    var clock: DaemonClock
    var reporter: Reporter
    var files: any FileSystem
    /// Reads what is to be sent.
    var queue: DispatchQueue
    /// Computes the digests of parts.
    var digests: DispatchQueue
    var spool: Spool
    /// Asks the spool to settle a batch.
    var settle: (Settlement) -> Void
    /// Asks the spool to remember that batches may be stored.
    var markUncertain: ([BatchID]) -> Void
    /// Asks the spool to keep how far an upload in parts is; calls back on the loop when that is done, or cannot be.
    var keepUpload: (UploadRecord, BatchID, _ done: @escaping @MainActor () -> Void) -> Void
    var forgetUpload: (BatchID) -> Void
    /// Called for each batch that S3 has.
    var delivered: (HeldBatch) -> Void
    /// Finds out whether the machine slept, and calls `slept` then.
    var noticeSleep: () -> Void
    /// Called after every change.
    var changed: () -> Void
}

/// Sums over batches.
nonisolated struct BatchSums: Sendable, Equatable {
    var objects = 0
    var events = 0
    var bytes: UInt64 = 0

    mutating func add(_ batch: HeldBatch) {
        objects += 1
        events += batch.events
        bytes += batch.size
    }

    mutating func add(_ sums: BatchSums) {
        objects += sums.objects
        events += sums.events
        bytes += sums.bytes
    }

    mutating func remove(_ batch: HeldBatch) {
        objects -= 1
        events -= batch.events
        bytes -= batch.size
    }
}

nonisolated struct OutboxTotals: Sendable, Equatable {
    /// What waits to be delivered.
    var held = BatchSums()
    /// What was delivered since this process started.
    var delivered = BatchSums()
    var lastKey: String?
    var lastTime: Timestamp?
}
