import Batching
import Configuration
import Curl
import Delivery
import Dispatch
import Files
import Glibc
import HTTPServer
import Model
import S3
import Spool
import Systemd

/// The daemon: owns the loop, and everything that hangs on it.
///
/// Spool, transport and server do the work; here is only what connects them: what the spool reports goes to the outboxes,
/// what the outboxes delivered goes back to be settled, and signals, timers and requests are turned into calls.
final class Daemon {
    let started = Clocks.now()
    let reporter: Reporter
    let lanes = Lanes()

    private let configurationFile: String
    private(set) var settings: Settings
    private let identity: SpoolTree.Identity
    private let files: RealFileSystem
    private let transport = Transport()
    private let runsUntilEmpty: Bool
    private let spool: Spool
    private var watcher: SpoolWatcher?
    private var control: ControlServer?

    private(set) var outboxes: [ConnectorName: Outbox] = [:]
    private(set) var activity = SpoolActivity()
    private var intake = IntakeState.opening
    private var quarantined = 0
    private var failedOpens = 0
    private var isStopping = false
    private var isFlushing = false
    private var toSettle: [HeldBatch] = []
    private var isReady = false
    private var isStatusScheduled = false

    private var signals: [any DispatchSourceSignal] = []
    private var timers: [any DispatchSourceTimer] = []
    /// Fires when the first open batch is old enough.
    private let dueTimer = DispatchSource.makeTimerSource(queue: .main)
    /// Looks again while something in `incoming/` or on the disk has to be waited for.
    private let lookTimer = DispatchSource.makeTimerSource(queue: .main)

    /// How often everything is looked through even though nothing was heard.
    private static let rescanInterval = 300
    private static let lookInterval = 5

    init(
        _ loaded: LoadedSettings, journal: JournalWriter, files: RealFileSystem,
        identity: SpoolTree.Identity, runsUntilEmpty: Bool
    ) {
        configurationFile = loaded.file
        settings = loaded.settings
        self.files = files
        self.identity = identity
        self.runsUntilEmpty = runsUntilEmpty
        reporter = Reporter(journal)
        // Set below, before anything can be reported.
        let relay = Relay()
        spool = Spool(
            SpoolSurroundings(
                files: files, storage: DispatchLane(queue: lanes.storage),
                workers: lanes.workers, workerCount: Lanes.workerCount,
                uptime: Clocks.uptime, now: Clocks.now,
                report: { report in onLoop { relay.daemon?.take(report) } }),
            routing: Self.routing(loaded.settings, identity),
            minimumFree: loaded.settings.spool.minimumFree)
        relay.daemon = self
    }

    /// Lets the spool report to a daemon that is still being made.
    private final class Relay {
        weak var daemon: Daemon?
    }

    private static func routing(_ settings: Settings, _ identity: SpoolTree.Identity) -> Routing {
        Routing(
            cluster: settings.identity.cluster, zone: settings.identity.zone ?? identity.zone,
            partition: settings.identity.partition ?? identity.partition,
            unmatched: settings.spool.unmatched,
            connectors: settings.connectors.map(Routing.Connector.init))
    }

    // MARK: Starting

    func start() throws(StartFailure) {
        handleSignals()
        dueTimer.setEventHandler { [weak self] in self?.spool.cutDue() }
        lookTimer.setEventHandler { [weak self] in self?.spool.scan() }
        for timer in [dueTimer, lookTimer] {
            timer.schedule(deadline: .distantFuture)
            timer.activate()
        }
        configureOutboxes()
        if !runsUntilEmpty { try listen() }
        every(seconds: Self.rescanInterval) { $0.spool.scanThoroughly() }
        every(seconds: 60) { daemon in daemon.outboxes.values.forEach { $0.tick() } }
        if let interval = Watchdog.interval {
            every(milliseconds: max(1, Int(interval.milliseconds))) { _ in
                Notify.send(.watchdog)
            }
        }
        spool.open()
    }

    private func listen() throws(StartFailure) {
        let control = ControlServer(self)
        do { try control.listen(at: settings.http.listen) } catch {
            throw StartFailure(
                "the control socket cannot be opened: \(error)", status: ExitStatus.failed)
        }
        self.control = control
    }

    private func every(seconds: Int, _ body: @escaping (Daemon) -> Void) {
        every(milliseconds: seconds * 1000, body)
    }

    private func every(milliseconds: Int, _ body: @escaping (Daemon) -> Void) {
        let timer = DispatchSource.makeTimerSource(queue: .main)
        timer.setEventHandler { [weak self] in self.map(body) }
        timer.schedule(
            deadline: .now() + .milliseconds(milliseconds), repeating: .milliseconds(milliseconds),
            leeway: .milliseconds(milliseconds / 10))
        timer.activate()
        timers.append(timer)
    }

    private func handleSignals() {
        let actions: [(Int32, (Daemon) -> Void)] = [
            (SIGTERM, { $0.stop() }), (SIGINT, { $0.stop() }), (SIGHUP, { $0.reload() }),
        ]
        for (number, action) in actions {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .main)
            source.setEventHandler { [weak self] in self.map(action) }
            source.activate()
            signals.append(source)
        }
    }

    private func becameReady() {
        guard !isReady else { return }
        isReady = true
        let held = outboxes.values.reduce(into: BatchSums()) { sums, outbox in
            sums.objects += outbox.totals.held.objects
            sums.events += outbox.totals.held.events
        }
        reporter.say(
            .started,
            "sluiced \(sluiceVersion) started: \(count(settings.connectors.count, "connector")), "
                + "spool \(settings.spool.directory), \(count(held.events, "event")) in "
                + "\(count(held.objects, "object")) wait to be delivered")
        Notify.send(.ready)
        updateStatus()
        ProcessMemory.releaseStartPages()
    }

    // MARK: Outboxes

    private func configureOutboxes() {
        let names = Set(settings.connectors.map(\.name))
        for connector in settings.connectors {
            let outbox = outbox(connector.name)
            if outbox.settings == connector {
                outbox.credentialsChanged()
                continue
            }
            let queue = lanes.reading
            let provider = StaticKeys(
                connector.credentials,
                environment: { name in getenv(name).map { String(cString: $0) } },
                readSecret: { path, completion in
                    // Called on the main actor only, as it was made there; the queue just carries it.
                    nonisolated(unsafe) let completion = completion
                    SecretFile.read(path, on: queue) { completion($0) }
                })
            outbox.configure(
                connector,
                client: S3Client(connector, transport: transport, credentials: provider),
                provider: provider)
        }
        for (name, outbox) in outboxes where !names.contains(name) {
            outbox.configure(nil, client: nil, provider: nil)
            if outbox.isEmpty { outboxes[name] = nil }
        }
    }

    /// The outbox of a connector; one that is not configured only keeps what it holds.
    private func outbox(_ name: ConnectorName) -> Outbox {
        if let outbox = outboxes[name] { return outbox }
        let outbox = Outbox(
            name, reporter: reporter, files: files, queue: lanes.reading,
            settle: { [weak self] batch in self?.settle(batch) },
            changed: { [weak self] in self?.changed() })
        outboxes[name] = outbox
        return outbox
    }

    /// Batches that are delivered in one turn of the loop are settled together.
    private func settle(_ batch: HeldBatch) {
        toSettle.append(batch)
        guard toSettle.count == 1 else { return }
        DispatchQueue.main.async { [weak self] in
            guard let self else { return }
            self.spool.settle(self.toSettle)
            self.toSettle = []
        }
    }

    func hasConnector(_ name: ConnectorName) -> Bool {
        settings.connectors.contains { $0.name == name }
    }

    // MARK: What the spool reports

    private func take(_ report: SpoolReport) {
        switch report {
        case .opened(let held, let quarantined):
            self.quarantined = quarantined
            for batch in held { outbox(batch.id.connector).take(batch) }
            for outbox in outboxes.values { outbox.pump() }
        case .running:
            intakeBegan()
        case .failed(let failure):
            intakeFailed(failure)
        case .routingChanged:
            watch()
        case .claimed:
            break
        case .leasesUnavailable:
            reporter.say(
                .leasesUnavailable,
                "open writers cannot be seen (no CAP_LEASE, or no leases on the spool's file system); "
                    + "a file is taken when it has not changed for 5 seconds")
        case .waiting(let obstacle):
            let spool = settings.spool.directory
            intake = .waiting(obstacle.explanation(spool: spool))
            reporter.waiting(obstacle, spool: spool)
        case .resumed:
            intake = .running
            reporter.say(.intakeResumed, "intake has resumed")
        case .fileRefused(let refusal):
            if case .quarantined = refusal.fate { quarantined += 1 }
            reporter.refused(refusal)
        case .eventsRefused(let refusal):
            quarantined += 1
            reporter.refused(refusal)
        case .discarded(let events, let file):
            reporter.discarded(events, file: file)
        case .sealed(let batches):
            failedOpens = 0
            for batch in batches { outbox(batch.id.connector).take(batch) }
            for name in Set(batches.map(\.id.connector)) { outboxes[name]?.pump() }
        case .settled(let batches):
            for batch in batches { outboxes[batch.connector]?.settled(batch) }
        case .settleFailed(let batches, let failure):
            settlingFailed(batches, failure)
        case .damaged(let path, let reason):
            reporter.say(
                .spoolDamaged, "\(path) in the spool is damaged: \(reason); it is kept, and nothing "
                    + "that depends on it is guessed", [.file(path)])
        case .due(let due):
            wake(dueTimer, at: due)
        case .activity(let activity):
            self.activity = activity
        }
        changed()
    }

    private func intakeBegan() {
        if case .failed = intake { reporter.say(.intakeResumed, "intake has begun again") }
        intake = .running
        watch()
        becameReady()
    }

    private func intakeFailed(_ failure: SpoolFailure) {
        failedOpens += 1
        let text = failure.description
        if intake != .failed(text) {
            let advice = failure.isDiskFull ? "; make room on the spool's disk" : ""
            reporter.say(
                .intakeFailed, "the spool cannot be worked on: \(text)\(advice); nothing is lost, and "
                    + "it is tried again until it works")
        }
        intake = .failed(text)
        becameReady()
        let delay = Backoff().delay(
            failures: min(failedOpens, 6), retryAfter: nil, random: Double.random(in: 0.5..<1))
        DispatchQueue.main.asyncAfter(deadline: .now() + .milliseconds(Int(delay.milliseconds))) {
            [weak self] in
            guard let self, !self.isStopping else { return }
            self.spool.open()
        }
    }

    private func settlingFailed(_ batches: [BatchID], _ failure: SpoolFailure) {
        reporter.say(
            .spoolFailing, "\(count(batches.count, "delivered batch", plural: "delivered batches")) "
                + "cannot be taken off the spool: \(failure); it is tried again, and nothing is sent "
                + "twice")
        DispatchQueue.main.asyncAfter(deadline: .now() + .seconds(Self.lookInterval)) {
            [weak self] in
            for batch in batches { self?.outboxes[batch.connector]?.settleAgain(batch) }
        }
    }

    /// Watches the directories that the spool made.
    private func watch() {
        guard !runsUntilEmpty else { return }
        do throws(FileError) {
            let watcher: SpoolWatcher
            if let present = self.watcher {
                watcher = present
            } else {
                watcher = try SpoolWatcher(
                    root: settings.spool.directory,
                    arrived: { [weak self] in self?.spool.scan() },
                    overflowed: { [weak self] in self?.spool.scanThoroughly() })
                self.watcher = watcher
            }
            try watcher.watch(settings.connectors.map(\.name))
            spool.scan()
        } catch {
            reporter.say(
                .intakeFailed, "incoming/ cannot be watched: \(error); it is looked through every "
                    + "\(Self.rescanInterval) seconds")
        }
    }

    private func wake(_ timer: any DispatchSourceTimer, at moment: Duration?) {
        guard let moment else { return timer.schedule(deadline: .distantFuture) }
        let delay = max(.milliseconds(1), moment - Clocks.uptime())
        timer.schedule(
            deadline: .now() + .milliseconds(Int(delay.milliseconds) + 1),
            leeway: .milliseconds(10))
    }

    // MARK: Changes

    /// To be called after anything that others may want to know of.
    private func changed() {
        updateLookTimer()
        scheduleStatus()
        if runsUntilEmpty { endWhenEmpty() }
        if isStopping { endWhenQuiet() }
    }

    private var isLooking = false

    private func updateLookTimer() {
        var mustLook = activity.writtenFiles > 0
        if case .waiting = intake { mustLook = true }
        guard mustLook != isLooking else { return }
        isLooking = mustLook
        let interval = DispatchTimeInterval.seconds(Self.lookInterval)
        if mustLook {
            lookTimer.schedule(
                deadline: .now() + interval, repeating: interval, leeway: .milliseconds(500))
        } else {
            lookTimer.schedule(deadline: .distantFuture)
        }
    }

    /// The line that `systemctl status` shows, at most once a second.
    private func scheduleStatus() {
        guard isReady, !isStatusScheduled, !isStopping else { return }
        isStatusScheduled = true
        DispatchQueue.main.asyncAfter(deadline: .now() + 1) { [weak self] in
            self?.isStatusScheduled = false
            self?.updateStatus()
        }
    }

    private func updateStatus() {
        guard !isStopping else { return }
        Notify.send(.status(document(space: nil).summary))
    }

    private func document(space: FileSystemSpace?) -> StatusDocument {
        StatusDocument(
            started: started, directory: settings.spool.directory,
            routing: (
                settings.identity.zone ?? identity.zone,
                settings.identity.partition ?? identity.partition
            ),
            intake: intake, activity: activity, quarantined: quarantined, space: space,
            outboxes: outboxes.values.sorted { $0.name < $1.name })
    }

    func status(_ completion: @escaping @MainActor (StatusDocument) -> Void) {
        let files = files
        lanes.reading.async { [weak self] in
            let space = try? files.space()
            onLoop { if let self { completion(self.document(space: space)) } }
        }
    }

    /// What is not well with the daemon itself, or nil.
    var ailment: String? { intake.detail }

    func flush(_ connector: ConnectorName?, done: @escaping @MainActor (Bool) -> Void) {
        spool.flush(connector) { isSealed in onLoop { done(isSealed) } }
    }

    // MARK: Reloading

    private func reload() {
        guard !isStopping else { return }
        Notify.send(.reloading)
        let file = configurationFile
        lanes.reading.async { [weak self] in
            let loaded = ConfigurationLoader.load(
                file: file, environment: ConfigurationLoader.processEnvironment())
            onLoop { self?.apply(loaded) }
        }
    }

    private func apply(_ loaded: LoadedConfiguration) {
        defer { Notify.send(.ready) }
        guard loaded.problems.isEmpty else {
            for problem in loaded.problems {
                reporter.say(
                    .reloadRefused, "configuration refused, the old one goes on: \(problem)",
                    [.file(problem.file)])
            }
            return
        }
        for warning in loaded.warnings {
            reporter.say(.destinationMisconfigured, "\(warning)", [.file(warning.file)])
        }
        var next = loaded.settings
        if next.spool.directory != settings.spool.directory || next.http != settings.http
            || next.spool.minimumFree != settings.spool.minimumFree
        {
            reporter.say(
                .reloaded, "changes of [spool] directory, minimum_free and of [http] take effect at "
                    + "the next start", priority: .warning)
            next.spool.directory = settings.spool.directory
            next.spool.minimumFree = settings.spool.minimumFree
            next.http = settings.http
        }
        settings = next
        reporter.journal.threshold = next.log.level.priority
        configureOutboxes()
        spool.change(to: Self.routing(settings, identity))
        // What was named and left may have been mended.
        spool.scanThoroughly()
        reporter.say(
            .reloaded,
            "configuration reloaded: \(count(settings.connectors.count, "connector"))")
        changed()
    }

    // MARK: Ending

    /// Ends a run that is to end when nothing is left to do.
    private func endWhenEmpty() {
        guard !isStopping, isReady else { return }
        if case .failed = intake, failedOpens >= 3 { return finishRun(isComplete: false) }
        if case .waiting = intake, outboxes.values.allSatisfy({ $0.isEmpty || $0.isStuck }) {
            return finishRun(isComplete: false)
        }
        guard case .running = intake, activity.isIdle, activity.isIncomingEmpty,
            activity.writtenFiles == 0, hasLooked
        else { return }
        if activity.unsealedBatches > 0 {
            guard !isFlushing else { return }
            isFlushing = true
            return flush(nil) { [weak self] _ in
                self?.isFlushing = false
                self?.changed()
            }
        }
        guard activity.isEmpty, outboxes.values.allSatisfy({ $0.isIdle }), toSettle.isEmpty else {
            return
        }
        let left = outboxes.values.filter { !$0.isEmpty }
        if left.isEmpty { return finishRun(isComplete: true) }
        if left.allSatisfy({ $0.isStuck }) { finishRun(isComplete: false) }
    }

    /// Whether `incoming/` was looked through at least once.
    private var hasLooked: Bool { activity.hasLooked }

    private func finishRun(isComplete: Bool) {
        for outbox in outboxes.values.sorted(by: { $0.name < $1.name }) where !outbox.isEmpty {
            let held = outbox.totals.held
            let reason =
                outbox.detail ?? outbox.firstFault
                ?? (outbox.settings == nil ? "it is not in the configuration" : "S3 does not answer")
            reporter.say(
                .stopping,
                "connector \(outbox.name): \(count(held.events, "event")) in "
                    + "\(count(held.objects, "object")) stay in the spool: \(reason)",
                [.connector(outbox.name.description), .events(held.events)], priority: .warning)
        }
        if let detail = intake.detail {
            reporter.say(.stopping, "intake: \(detail)", priority: .warning)
        }
        isStopping = true
        leave(with: isComplete ? ExitStatus.fine : ExitStatus.tryAgainLater)
    }

    /// Begins nothing new, and gives what is under way a moment to end. What does not is sent again at the next start.
    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        Notify.send(.stopping, .extendTimeout(.seconds(5)))
        reporter.say(.stopping, "stopping: what is not delivered stays in the spool")
        for outbox in outboxes.values { outbox.stop() }
        DispatchQueue.main.asyncAfter(deadline: .now() + 2) { [weak self] in
            self?.leave(with: ExitStatus.fine)
        }
        endWhenQuiet()
    }

    private func endWhenQuiet() {
        guard !runsUntilEmpty, toSettle.isEmpty, outboxes.values.allSatisfy({ $0.isIdle }) else {
            return
        }
        leave(with: ExitStatus.fine)
    }

    private var isLeaving = false

    /// Ends the process without waiting for anything that may not end.
    private func leave(with status: Int32) {
        guard !isLeaving else { return }
        isLeaving = true
        control?.stop()
        reporter.endSecond()
        _ = reporter.journal.flush(until: .now() + 1)
        // Not exit(3): destructors could wait for curl's resolver or a busy queue. All that must last is on disk. The
        // transport is left as it is, for what ended last may be an answer that it is still handing out.
        _exit(status)
    }
}
