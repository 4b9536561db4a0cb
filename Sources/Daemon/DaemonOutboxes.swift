import Credentials
import Delivery
import Dispatch
import Model
import S3
import Spool
import Systemd

/// The outboxes, and what of their health outlives the process.
extension Daemon {
    // MARK: Configuration

    func configureOutboxes() {
        let names = Set(settings.connectors.map(\.name))
        for connector in settings.connectors {
            let outbox = outbox(connector.name)
            if outbox.settings == connector {
                outbox.credentialsChanged()
                outbox.verify()
                continue
            }
            let provider = RefreshingCredentials.make(
                for: connector, CredentialSurroundings(transport: transport, queue: lanes.reading),
                tell: { [weak outbox] event in outbox?.credentialsTell(event) })
            outbox.configure(
                connector,
                client: S3Client(
                    connector, transport: transport, credentials: provider, now: clock.now),
                provider: provider)
            outbox.verify()
        }
        for (name, outbox) in outboxes where !names.contains(name) {
            outbox.configure(nil, client: nil, provider: nil)
            if outbox.isEmpty, outbox.removals.status.objects == 0 { outboxes[name] = nil }
        }
        governIntake()
        scheduleTicks()
    }

    /// The outbox of a connector; one that is not configured only keeps what it holds.
    func outbox(_ name: ConnectorName) -> Outbox {
        if let outbox = outboxes[name] { return outbox }
        let spool = spool
        let outbox = Outbox(
            name,
            OutboxSurroundings(
                clock: clock, reporter: reporter, files: files, queue: lanes.reading,
                digests: lanes.digests, spool: spool,
                settle: { [weak self] settlement in self?.settle(settlement) },
                markUncertain: { batches in spool.markUncertain(batches) { _ in } },
                keepUpload: { record, batch, done in
                    spool.keepUpload(record, of: batch) { _ in onLoop(done) }
                },
                forgetUpload: { batch in spool.forgetUpload(batch) },
                delivered: { [weak self] batch in
                    self?.flow.deliveredEvents += batch.events
                    self?.flow.deliveredBytes += batch.size
                },
                noticeSleep: { [weak self] in self?.noticeSleep() },
                changed: { [weak self] in self?.changed(name) }))
        outbox.losses = losses[name] ?? LossTotals()
        outbox.isFilled = hasOpened
        if let index = book?.entries.firstIndex(where: { $0.connector == name }),
            // Once: a connector that is taken out and put back later begins anew.
            let entry = book?.entries.remove(at: index)
        {
            outbox.restore(entry, hasBooted: clock.hasBooted)
        }
        outboxes[name] = outbox
        return outbox
    }

    /// Batches that are settled in one turn of the loop are settled together.
    private func settle(_ settlement: Settlement) {
        toSettle.append(settlement)
        guard toSettle.count == 1 else { return }
        DispatchQueue.main.async { [weak self] in
            guard let self else { return }
            self.spool.settle(self.toSettle)
            self.toSettle = []
        }
    }

    /// Tells the spool who is in trouble, and what each may hold.
    private func governIntake() {
        spool.govern(
            by: IntakePolicy(
                troubled: Set(outboxes.values.lazy.filter(\.isTroubled).map(\.name)),
                maxHeld: settings.connectors.reduce(into: [:]) { $0[$1.name] = $1.maxHeld },
                closedFolders: closedFolders))
    }

    /// Where others put events in the buckets of those who take files as they are.
    private var closedFolders: [ConnectorName: [IntakePolicy.ClosedFolder]] {
        var closed: [ConnectorName: [IntakePolicy.ClosedFolder]] = [:]
        for export in settings.connectors where export.kind == .dataExport {
            closed[export.name] = settings.connectors.filter {
                $0.kind == .currents && $0.bucket == export.bucket
                    && $0.endpoint == export.endpoint
            }.map { IntakePolicy.ClosedFolder(folder: $0.folder, connector: $0.name) }
        }
        return closed
    }

    /// A second after the first change: troubles come and go, and there may be very many connectors.
    private func scheduleGoverning() {
        guard !isGoverningScheduled else { return }
        isGoverningScheduled = true
        DispatchQueue.main.asyncAfter(deadline: .now() + 1) { [weak self] in
            self?.isGoverningScheduled = false
            self?.governIntake()
        }
    }

    /// Called for each object, so nothing here looks at every connector.
    private func changed(_ name: ConnectorName) {
        scheduleGoverning()
        if let outbox = outboxes[name], outbox.health.revision != outbox.keptRevision {
            keepEpisodes()
        }
        changed()
    }

    // MARK: Time

    /// Once a minute, or oftener where a window is short.
    func scheduleTicks() {
        let shortest = settings.connectors.map(\.expireAfter).min() ?? .seconds(48 * 3600)
        let period = max(1, min(Self.tickInterval, Int(shortest.components.seconds) / 50))
        guard period != tickPeriod else { return }
        tickPeriod = period
        tickTimer.schedule(
            deadline: .now() + .seconds(period), repeating: .seconds(period),
            leeway: .milliseconds(period * 100))
    }

    func tick() {
        noticeSleep()
        for outbox in outboxes.values { outbox.tick() }
        if keepingFailure != nil || outboxes.values.contains(where: \.hasEpisode) { keepEpisodes() }
    }

    /// Finds out whether the machine slept; to be called before anything is given up, for the first to be heard after a
    /// sleep may be another rejection.
    private func noticeSleep() {
        let slept = Clocks.uptime() - Clocks.awake()
        let hasSlept = slept - self.slept > Self.shortestSleep
        self.slept = slept
        guard hasSlept else { return }
        for outbox in outboxes.values { outbox.slept() }
    }

    /// The two clocks are not read at one moment.
    private static let shortestSleep = Duration.seconds(30)

    // MARK: What outlives the process

    /// Keeps the clock and the connectors' health in the spool: once for all that changes in one turn of the loop.
    func keepEpisodes() {
        guard !isKeepingScheduled, hasOpened else { return }
        isKeepingScheduled = true
        DispatchQueue.main.async { [weak self] in
            guard let self else { return }
            self.isKeepingScheduled = false
            for outbox in self.outboxes.values { outbox.keptRevision = outbox.health.revision }
            self.keeping += 1
            self.spool.keepEpisodes(self.episodes().text) { failure in
                onLoop { [weak self] in self?.episodesKept(failure) }
            }
        }
    }

    func episodes() -> EpisodeBook {
        let entries = outboxes.values.sorted { $0.name < $1.name }.map(\.entry)
        return EpisodeBook(clock: clock.stamp(), entries: entries.filter { !$0.record.isEmpty })
    }

    /// What was not kept would only make events wait longer after a restart.
    private func episodesKept(_ failure: SpoolFailure?) {
        keeping -= 1
        let text = failure?.description
        defer {
            keepingFailure = text
            leaveWhenKept()
        }
        guard let text, text != keepingFailure else { return }
        reporter.say(
            .spoolFailing,
            "the clocks of episodes cannot be kept: \(text); after a restart events would wait longer",
            priority: .warning)
    }
}
