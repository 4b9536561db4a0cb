import Credentials
import Delivery
import Dispatch
import Files
import Model
import S3
import Spool

/// Everything that waits for one connector's bucket, and its way there.
///
/// The health of the connector says how much may be under way; the oldest batches go first.
final class Outbox {
    let name: ConnectorName
    private(set) var settings: ConnectorSettings?
    private(set) var health: ConnectorHealth
    private(set) var totals = OutboxTotals()

    private var client: S3Client?
    private var provider: (any CredentialsProvider)?
    private let reporter: Reporter
    private let files: any FileSystem
    private let queue: DispatchQueue
    /// Asks the spool to settle what is delivered.
    private let settle: (HeldBatch) -> Void
    /// Called after every change.
    private let changed: () -> Void

    private var waiting: [String: BatchQueue] = [:]
    private var shipments: [BatchID: Shipment] = [:]
    /// Delivered, and not yet off the disk.
    private var settling: [BatchID: HeldBatch] = [:]
    /// Held one by one, with the reason.
    private var atFault: [BatchID: (batch: HeldBatch, reason: String)] = [:]
    /// Batches whose key somebody else was writing, and when they may be tried again.
    private var postponed: [BatchID: (until: Instant, failures: Int)] = [:]
    private var isStopped = false
    private let timer: any DispatchSourceTimer

    /// Objects under way at once: enough to hide the latency of one, and far from what makes S3 slow down.
    static let mostUnderWay = 4

    init(
        _ name: ConnectorName, reporter: Reporter, files: any FileSystem, queue: DispatchQueue,
        settle: @escaping (HeldBatch) -> Void, changed: @escaping () -> Void
    ) {
        self.name = name
        self.reporter = reporter
        self.files = files
        self.queue = queue
        self.settle = settle
        self.changed = changed
        health = ConnectorHealth(at: Clocks.instant())
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
        health.credentialsChanged(at: Clocks.instant())
        self.settings = settings
        self.client = client
        self.provider = provider
        retryFaulty()
        pump()
    }

    /// The configuration was read again and says the same: whatever lies outside of it may have been mended.
    func credentialsChanged() {
        provider?.forget()
        health.credentialsChanged(at: Clocks.instant())
        retryFaulty()
        pump()
    }

    /// What was at fault before may not be any more.
    private func retryFaulty() {
        for (batch, _) in atFault.values { enqueue(batch) }
        atFault = [:]
    }

    // MARK: Batches

    /// Takes a batch that is held, unless it is known.
    func take(_ batch: HeldBatch) {
        guard settling[batch.id] == nil, shipments[batch.id] == nil, atFault[batch.id] == nil,
            !known.contains(batch.id)
        else { return }
        known.insert(batch.id)
        totals.held.add(batch)
        enqueue(batch)
    }

    /// All batches held here.
    private var known: Set<BatchID> = []

    private func enqueue(_ batch: HeldBatch) {
        waiting[batch.eventType, default: BatchQueue()].insert(batch)
    }

    func settled(_ id: BatchID) {
        settling[id] = nil
        known.remove(id)
    }

    /// Settling failed; it is asked for again a little later.
    func settleAgain(_ id: BatchID) {
        guard let batch = settling[id] else { return }
        settle(batch)
    }

    var isEmpty: Bool { known.isEmpty }
    var isIdle: Bool { shipments.isEmpty && settling.isEmpty }
    var atFaultCount: Int { atFault.count }
    var firstFault: String? { atFault.min { $0.key < $1.key }?.value.reason }
    var oldest: HeldBatch? {
        (waiting.values.compactMap(\.first) + atFault.values.map(\.batch)
            + shipments.values.map(\.batch)).min { $0.id < $1.id }
    }

    /// Whether nothing of what is held will go without somebody's help, or before long.
    var isStuck: Bool {
        guard shipments.isEmpty else { return false }
        if client == nil { return true }
        switch health.state {
        case .delivering:
            let denied = Set(health.deniedEventTypes.compactMap(\.eventType))
            return waiting.allSatisfy { $0.value.isEmpty || denied.contains($0.key) }
        case .backingOff(_, let trouble, _): return trouble.failures >= Self.failuresBeforeGivingUp
        case .misconfigured, .credentialsFailing, .paused: return true
        }
    }

    /// For a run that is to end when nothing is left to do.
    private static let failuresBeforeGivingUp = 4

    // MARK: Sending

    func stop() {
        isStopped = true
        timer.cancel()
    }

    var underWay: Int { shipments.count }

    /// Sends as much as the connector's health allows.
    func pump() {
        guard !isPumping else { return }
        // Nothing begins, but what has ended is a change too: somebody may wait for it.
        guard !isStopped, let client else { return changed() }
        isPumping = true
        defer {
            isPumping = false
            changed()
        }
        while true {
            let now = Clocks.instant()
            switch health.permission(at: now) {
            case .full:
                if shipments.count >= Self.mostUnderWay { return }
            case .oneAtATime, .probe:
                if !shipments.isEmpty { return }
            case .none(let until):
                return wake(at: until, now)
            }
            guard let batch = next(at: now) else { return }
            ship(batch, client)
        }
    }

    private var isPumping = false

    /// The oldest batch that may go now; its event type has its own permission.
    private func next(at now: Instant) -> HeldBatch? {
        var best: HeldBatch?
        var wakeAt: Instant?
        for (type, queue) in waiting {
            guard let first = queue.first, best.map({ first.id < $0.id }) ?? true else { continue }
            if let until = postponed[first.id]?.until, until > now {
                wakeAt = min(wakeAt ?? until, until)
                continue
            }
            switch health.permission(for: type, at: now) {
            case .full:
                break
            case .oneAtATime, .probe:
                if shipments.values.contains(where: { $0.batch.eventType == type }) { continue }
            case .none(let until):
                if let until { wakeAt = min(wakeAt ?? until, until) }
                continue
            }
            best = first
        }
        guard let best else {
            wake(at: wakeAt, now)
            return nil
        }
        defer { if waiting[best.eventType]?.isEmpty == true { waiting[best.eventType] = nil } }
        return waiting[best.eventType]?.removeFirst()
    }

    private func wake(at instant: Instant?, _ now: Instant) {
        guard let instant else { return }
        let delay = max(.milliseconds(10), instant - now)
        timer.schedule(
            deadline: .now() + .milliseconds(Int(delay.milliseconds)), leeway: .milliseconds(50))
    }

    private func ship(_ batch: HeldBatch, _ client: S3Client) {
        let shipment = Shipment(
            batch, client: client, files: files, on: queue,
            note: { [weak self] disposition in self?.corrected(batch, disposition) },
            done: { [weak self] disposition in self?.ended(batch, disposition) })
        shipments[batch.id] = shipment
        shipment.start(verifying: batch.isFromEarlierProcess)
    }

    // MARK: What became of it

    private func destination(_ batch: HeldBatch, key: String?) -> Destination {
        Destination(
            connector: name.description, bucket: settings?.bucket ?? "",
            host: settings?.endpoint ?? "S3", eventType: batch.eventType, key: key)
    }

    private func corrected(_ batch: HeldBatch, _ disposition: Disposition) {
        reporter.corrected(disposition, at: destination(batch, key: nil))
    }

    private func ended(_ batch: HeldBatch, _ disposition: Disposition) {
        guard let shipment = shipments.removeValue(forKey: batch.id) else { return }
        let now = Clocks.instant()
        let place = destination(batch, key: shipment.envelope?.key)
        let actions = health.attemptEnded(
            disposition, eventType: batch.eventType, began: shipment.began, at: now,
            random: Double.random(in: 0..<1))
        for action in actions { perform(action, place) }
        switch disposition {
        case .delivered:
            delivered(batch, shipment)
        case .batchHeld(let fault):
            postponed[batch.id] = nil
            let reason = disposition.explanation(of: .putObject, at: place)
            atFault[batch.id] = (batch, reason)
            reporter.held(fault, reason, place, batch)
        case .conflict:
            let failures = (postponed[batch.id]?.failures ?? 0) + 1
            let delay = Backoff().delay(
                failures: failures, retryAfter: nil, random: Double.random(in: 0..<1))
            postponed[batch.id] = (now + delay, failures)
            enqueue(batch)
        default:
            // Whatever the keys were, the next attempt reads them anew: mending them is enough.
            if case .credentials(.connector, _) = disposition { provider?.forget() }
            enqueue(batch)
        }
        pump()
    }

    private func delivered(_ batch: HeldBatch, _ shipment: Shipment) {
        postponed[batch.id] = nil
        settling[batch.id] = batch
        totals.held.remove(batch)
        totals.delivered.add(batch)
        if let envelope = shipment.envelope {
            totals.lastKey = envelope.key
            totals.lastTime = Clocks.now()
            // The configuration may have changed while it was under way.
            reporter.delivered(envelope, bucket: shipment.bucket)
        }
        settle(batch)
    }

    /// To be called once a minute or so.
    func tick() {
        let place = Destination(
            connector: name.description, bucket: settings?.bucket ?? "",
            host: settings?.endpoint ?? "S3")
        for action in health.tick(at: Clocks.instant()) { perform(action, place) }
    }

    private func perform(_ action: ConnectorHealth.Action, _ place: Destination) {
        switch action {
        case .refreshCredentials: provider?.forget()
        case .entered, .lasting, .left: reporter.changed(action, place, totals.held)
        }
    }
}

/// Sums over batches.
struct BatchSums: Sendable, Equatable {
    var objects = 0
    var events = 0
    var bytes: UInt64 = 0

    mutating func add(_ batch: HeldBatch) {
        objects += 1
        events += batch.events
        bytes += batch.size
    }

    mutating func remove(_ batch: HeldBatch) {
        objects -= 1
        events -= batch.events
        bytes -= batch.size
    }
}

struct OutboxTotals: Sendable, Equatable {
    /// What waits to be delivered.
    var held = BatchSums()
    /// What was delivered since this process started.
    var delivered = BatchSums()
    var lastKey: String?
    var lastTime: Timestamp?
}
