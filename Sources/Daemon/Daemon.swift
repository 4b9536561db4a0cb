import Avro
import Batching
import Configuration
import Credentials
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
    let started: Timestamp
    let clock: DaemonClock
    /// What an earlier process kept of the connectors' health, until it is restored.
    var book: EpisodeBook?
    let reporter: Reporter
    let lanes = Lanes()

    let configurationFile: String
    var settings: Settings
    let identity: SpoolTree.Identity
    let files: RealFileSystem
    let transport = Transport()
    let runsUntilEmpty: Bool
    /// Sockets that the service manager listens on for us.
    private let passed: [ServedSocket]
    let spool: Spool
    var watcher: SpoolWatcher?
    /// Whether the last try to watch `incoming/` went well.
    var isWatching = true
    var control: ControlServer?
    private(set) lazy var drains = Drains(self)

    var outboxes: [ConnectorName: Outbox] = [:]
    var activity = SpoolActivity()
    /// What intake waits for, as it was told.
    var toldObstacle: IntakeObstacle?
    var intake = IntakeState.opening
    var quarantined = 0
    /// By event type, since the start: members of events that its schema does not have.
    var ignoredMembers: [String: Int] = [:]
    /// Those of the configuration of the day.
    var schemas: SchemaSet
    var failedOpens = 0
    /// The causes of failures of intake that were told since it last worked.
    var toldFailures: Set<String> = []
    var isStopping = false
    var isFlushing = false
    var toSettle: [Settlement] = []
    /// Delivered, and asked to be settled again in a while, since it failed.
    var unsettled: [BatchID] = []
    /// How often in a row settling failed, and why it did last.
    var settleFailures = (count: 0, text: "")
    var isReady = false
    private var isStatusScheduled = false
    var isGoverningScheduled = false
    var isKeepingScheduled = false
    /// Writes of them that are under way.
    var keeping = 0
    /// The process ends with it, once they are kept.
    var leavingStatus: Int32?
    /// Why the clocks of episodes could not be kept, as it was told.
    var keepingFailure: String?
    /// The spool was opened at least once, so what it holds is known.
    var hasOpened = false
    /// What CLOCK_BOOTTIME was ahead of CLOCK_MONOTONIC: it grows while the machine sleeps.
    var slept = Clocks.uptime() - Clocks.awake()
    let tickTimer = DispatchSource.makeTimerSource(queue: .main)
    var tickPeriod = 0
    /// What the spool says was lost since it was made.
    var losses: [ConnectorName: LossTotals] = [:]
    var archived: [ConnectorName: ArchiveSums] = [:]
    var isLeaving = false
    /// What was counted since the start.
    var flow = History.Flow()
    var history: History
    /// As they were when somebody asked last.
    var figures = Figures()

    private var signalSources: [any DispatchSourceSignal] = []
    private var timers: [any DispatchSourceTimer] = []
    /// Fires when the first open batch is old enough.
    let dueTimer = DispatchSource.makeTimerSource(queue: .main)
    /// Looks again while something in `incoming/` or on the disk has to be waited for.
    let lookTimer = DispatchSource.makeTimerSource(queue: .main)

    /// How often everything is looked through even though nothing was heard.
    static let rescanInterval = 300
    static let lookInterval = 5
    /// How often the clock of an episode is stamped, and what it leads to is done.
    static let tickInterval = 60

    init(
        _ loaded: LoadedSettings, journal: JournalWriter, files: RealFileSystem,
        identity: SpoolTree.Identity, book: EpisodeBook?, clock: DaemonClock, runsUntilEmpty: Bool,
        passed: [ServedSocket] = []
    ) {
        self.passed = passed
        self.book = book
        self.clock = clock
        started = clock.now()
        history = History(at: clock.bootTime(), wall: started)
        configurationFile = loaded.file
        settings = loaded.settings
        schemas = loaded.schemas
        self.files = files
        self.identity = identity
        self.runsUntilEmpty = runsUntilEmpty
        reporter = Reporter(journal)
        // Set below, before anything can be reported.
        let relay = Relay()
        spool = Spool(
            SpoolSurroundings(
                files: files, storage: DispatchLane(queue: lanes.storage),
                syncing: DispatchLane(queue: lanes.syncing),
                removers: lanes.removers, workers: lanes.workers, workerCount: Lanes.workerCount,
                hashing: lanes.hashers,
                uptime: clock.bootTime, now: clock.now,
                microseconds: Clocks.microseconds, clock: { clock.reading() },
                report: { report in onLoop { relay.daemon?.take(report) } },
                whenTold: { then in onLoop { journal.whenWritten(then) } }),
            routing: Self.routing(loaded.settings, loaded.schemas, identity),
            minimumFree: loaded.settings.spool.minimumFree)
        relay.daemon = self
    }

    /// Lets the spool report to a daemon that is still being made.
    private final class Relay {
        weak var daemon: Daemon?
    }

    static func routing(
        _ settings: Settings, _ schemas: SchemaSet, _ identity: SpoolTree.Identity
    ) -> Routing {
        Routing(
            cluster: settings.identity.cluster, zone: settings.identity.zone ?? identity.zone,
            partition: settings.identity.partition ?? identity.partition,
            unmatched: settings.spool.unmatched,
            connectors: settings.connectors.map(Routing.Connector.init), schemas: schemas)
    }

    // MARK: Starting

    func start() throws(StartFailure) {
        handleSignals()
        dueTimer.setEventHandler { [weak self] in self?.spool.cutDue() }
        lookTimer.setEventHandler { [weak self] in self?.look() }
        tickTimer.setEventHandler { [weak self] in self?.tick() }
        for timer in [dueTimer, lookTimer, tickTimer] {
            timer.schedule(deadline: .distantFuture)
            timer.activate()
        }
        configureOutboxes()
        if !runsUntilEmpty { try listen() }
        every(seconds: Self.rescanInterval) { $0.spool.scanThoroughly() }
        every(seconds: Int(History.interval.components.seconds)) { $0.sample() }
        if let interval = Watchdog.interval {
            every(milliseconds: max(1, Int(interval.milliseconds))) { _ in
                Notify.send(.watchdog)
            }
        }
        spool.open()
    }

    private func listen() throws(StartFailure) {
        let control = ControlServer(self)
        // Each address once: what was passed is not opened a second time.
        let own = settings.http.listen.filter { address in
            !passed.contains { $0.address == address }
        }
        do {
            for socket in passed { try control.listen(on: socket) }
            for address in own { try control.listen(at: address) }
        } catch {
            throw StartFailure(
                "status and control cannot be served: \(error)", status: ExitStatus.failed)
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

    /// What the process is told by signals. `Program` blocks them from its first moment on.
    static let signals = [SIGTERM, SIGINT, SIGHUP]

    /// Returns once their sources are registered: from then on, and not before, they may be let through, as dispatchMain()
    /// does on this thread. One that comes earlier waits; were it ignored until then, it would be lost.
    private func handleSignals() {
        let registered = DispatchGroup()
        let queue = DispatchQueue(label: "sluice.signals")
        for number in Self.signals {
            registered.enter()
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setRegistrationHandler { @Sendable in registered.leave() }
            source.setEventHandler { @Sendable [weak self] in
                onLoop { number == SIGHUP ? self?.reload() : self?.stop() }
            }
            source.activate()
            signalSources.append(source)
        }
        registered.wait()
    }

    func becameReady() {
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

    // MARK: Asking

    func hasConnector(_ name: ConnectorName) -> Bool {
        settings.connectors.contains { $0.name == name }
    }

    // MARK: Changes

    /// To be called after anything that others may want to know of.
    func changed() {
        updateLookTimer()
        scheduleStatus()
        drains.advance()
        if runsUntilEmpty { endWhenEmpty() }
        if isStopping { endWhenQuiet() }
    }

    private var isLooking = false

    private func updateLookTimer() {
        var mustLook = activity.writtenFiles > 0 || !isWatching
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
        Notify.send(.status(summary))
    }

    var summary: String {
        StatusSummary(clock: clock, intake: intake, outboxes: Array(outboxes.values)).text
    }

    func flush(_ connector: ConnectorName?, done: @escaping @MainActor (Bool) -> Void) {
        spool.flush(connector) { isSealed in onLoop { done(isSealed) } }
    }
}
