import Delivery
import Dispatch
import Files
import Model
import Spool
import Systemd

/// What the spool reports, and what the daemon makes of it.
extension Daemon {
    func take(_ report: SpoolReport) {
        switch report {
        case .opened(let contents):
            opened(contents)
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
            let text = obstacle.explanation(spool: spool, backlog: greatestBacklog)
            intake = .waiting(text)
            if !obstacle.isAlike(toldObstacle) { reporter.waiting(text) }
            toldObstacle = obstacle
        case .resumed:
            intake = .running
            toldObstacle = nil
            reporter.say(.intakeResumed, "intake has resumed")
        case .connectorWaits(let connector, let held, let most):
            outboxes[connector]?.isOverLimit = true
            reporter.waiting(connector, held: held, most: most)
        case .connectorResumed(let connector):
            outboxes[connector]?.isOverLimit = false
            reporter.resumed(connector)
        case .fileRefused(let refusal):
            if case .quarantined = refusal.fate {
                quarantined += 1
                noteForWaiting(refusal)
            }
            reporter.refused(refusal)
        case .eventsRefused(let refusal):
            quarantined += 1
            reporter.refused(refusal)
        case .discarded(let events, let file):
            reporter.discarded(events, file: file)
        case .membersIgnored(let ignored, let file):
            for members in ignored {
                if ignoredMembers[members.eventType] == nil {
                    reporter.ignored(members, file: file)
                }
                ignoredMembers[members.eventType, default: 0] += members.count
            }
        case .sealed(let batches):
            intakeWorks()
            for batch in batches { outbox(batch.id.connector).take(batch) }
            for name in Set(batches.map(\.id.connector)) { outboxes[name]?.pump() }
        case .settled(let batches):
            settled(batches)
        case .lossesFound(let losses):
            reporter.lost(losses, isLate: true)
        case .archiveDiscarded(let losses):
            reporter.lost(losses)
        case .lost(let totals):
            losses = totals
            for (name, totals) in totals { outboxes[name]?.losses = totals }
        case .archived(let sums):
            archived = sums
        case .settleFailed(let batches, let failure):
            settlingFailed(batches, failure)
        case .quarantineRetried(let items, let connector):
            quarantined -= min(quarantined, items.count)
            reporter.retried(items, only: connector)
        case .quarantineDiscarded(let items):
            reporter.discarded(items)
        case .quarantineLeft(let number):
            quarantined -= min(quarantined, number)
        case .damaged(let path, let reason):
            reporter.say(
                .spoolDamaged,
                "\(path) in the spool is damaged: \(reason); it is kept, and nothing "
                    + "that depends on it is guessed", [.file(path)])
        case .due(let due):
            wake(dueTimer, at: due)
        case .activity(let activity):
            self.activity = activity
            if intake == .running, activity.isEmpty, activity.hasLooked { intakeWorks() }
        }
        changed()
    }

    private func opened(_ contents: SpoolContents) {
        quarantined = contents.quarantined
        archived = contents.archived
        // What was under way before says nothing about what is now.
        activity = SpoolActivity()
        if let latest = contents.latestClock { clock.raise(to: latest) }
        losses = contents.lost
        for outbox in outboxes.values { outbox.empty() }
        let stored = Dictionary(grouping: contents.stored, by: \.batch.connector)
        for name in Set(outboxes.keys).union(stored.keys) {
            outbox(name).removals.replace(by: stored[name] ?? [])
        }
        // One after another: there may be very many, and no second list of them is made.
        for batch in contents.held { outbox(batch.id.connector).take(batch) }
        hasOpened = true
        for (name, outbox) in outboxes {
            outbox.losses = losses[name] ?? LossTotals()
            outbox.fill()
            outbox.pump()
        }
    }

    /// The connector in trouble that holds most, and how much that is.
    private var greatestBacklog: (connector: ConnectorName, bytes: UInt64)? {
        outboxes.values.filter(\.isTroubled).map { ($0.name, $0.totals.held.bytes) }
            .max { $0.1 < $1.1 }.flatMap { $0.1 > 0 ? $0 : nil }
    }

    private func settled(_ batches: [BatchID]) {
        let settlements = batches.compactMap { outboxes[$0.connector]?.settled($0) }
        let losses = settlements.compactMap { Loss($0) }
        for loss in losses where loss.kind == .dropped { flow.droppedEvents += loss.events }
        reporter.lost(losses)
        if unsettled.isEmpty { settleFailures = (0, "") }
    }

    func intakeBegan() {
        intake = .running
        watch()
        becameReady()
    }

    /// Something was sealed, or all that was there is done: that it could be opened proves less.
    private func intakeWorks() {
        failedOpens = 0
        guard !toldFailures.isEmpty else { return }
        toldFailures = []
        reporter.say(.intakeResumed, "intake has begun again")
    }

    func intakeFailed(_ failure: SpoolFailure) {
        failedOpens += 1
        let text = failure.description
        // What fails while it is worked on fails at another file each time, and two causes may alternate.
        if toldFailures.insert(failure.cause).inserted {
            let advice = failure.advice.map { "; " + $0 } ?? ""
            reporter.say(
                .intakeFailed,
                "the spool cannot be worked on: \(text)\(advice); nothing is lost, and "
                    + "it is tried again until it works")
        }
        intake = .failed(text)
        becameReady()
        let delay = Backoff().delay(
            failures: min(failedOpens, Self.longestIntakeWait), retryAfter: nil,
            random: Double.random(in: 0.5..<1))
        DispatchQueue.main.asyncAfter(deadline: .now() + .milliseconds(Int(delay.milliseconds))) {
            [weak self] in
            guard let self, !self.isStopping else { return }
            self.spool.open()
        }
    }

    /// After so many failures the wait is eight seconds and grows no more: mending shows soon.
    private static let longestIntakeWait = 4

    func settlingFailed(_ batches: [BatchID], _ failure: SpoolFailure) {
        // Deliveries go on meanwhile: one timer and one line serve them all.
        unsettled += batches
        guard unsettled.count == batches.count else { return }
        settleFailures.count += 1
        let cause = failure.cause
        if settleFailures.count == 1 || settleFailures.text != cause {
            let advice = failure.advice.map { "; " + $0 } ?? ""
            reporter.say(
                .spoolFailing,
                "\(count(batches.count, "batch", plural: "batches")) that left cannot be taken off "
                    + "the spool: \(failure)\(advice); it is tried again, and nothing is sent "
                    + "twice")
        }
        settleFailures.text = cause
        DispatchQueue.main.asyncAfter(deadline: .now() + .seconds(Self.lookInterval)) {
            [weak self] in
            guard let self else { return }
            let again = self.unsettled
            self.unsettled = []
            for batch in again { self.outboxes[batch.connector]?.settleAgain(batch) }
        }
    }

    /// Watches the directories that the spool made.
    func watch() {
        guard !runsUntilEmpty else { return }
        do throws(FileError) {
            let watcher: SpoolWatcher
            if let present = self.watcher {
                watcher = present
            } else {
                watcher = try SpoolWatcher(
                    root: settings.spool.directory,
                    arrived: { [weak self] in self?.spool.scan(heard: $0) },
                    overflowed: { [weak self] in self?.spool.scanThoroughly() })
                self.watcher = watcher
            }
            try watcher.watch(settings.connectors.map(\.name))
            isWatching = true
        } catch {
            if isWatching {
                let advice = error.watchAdvice.map { "; " + $0 } ?? ""
                reporter.say(
                    .intakeFailed,
                    "incoming/ cannot be watched: \(error)\(advice); it is looked through every "
                        + "\(Self.lookInterval) seconds until it can")
            }
            isWatching = false
        }
        spool.scan()
    }

    /// Looks without having heard of anything.
    func look() {
        if isWatching { spool.scan() } else { watch() }
    }

    func wake(_ timer: any DispatchSourceTimer, at moment: Duration?) {
        guard let moment else { return timer.schedule(deadline: .distantFuture) }
        let delay = max(.milliseconds(1), moment - clock.bootTime())
        timer.schedule(
            deadline: .now() + .milliseconds(Int(delay.milliseconds) + 1),
            leeway: .milliseconds(10))
    }
}
