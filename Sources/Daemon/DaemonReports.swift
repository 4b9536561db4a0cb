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
            if case .quarantined = refusal.fate { quarantined += 1 }
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
            failedOpens = 0
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
        case .damaged(let path, let reason):
            reporter.say(
                .spoolDamaged,
                "\(path) in the spool is damaged: \(reason); it is kept, and nothing "
                    + "that depends on it is guessed", [.file(path)])
        case .due(let due):
            wake(dueTimer, at: due)
        case .activity(let activity):
            self.activity = activity
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
        reporter.lost(settlements.compactMap { Loss($0) })
        if unsettled.isEmpty { settleFailures = (0, "") }
    }

    func intakeBegan() {
        if case .failed = intake { reporter.say(.intakeResumed, "intake has begun again") }
        intake = .running
        watch()
        becameReady()
    }

    func intakeFailed(_ failure: SpoolFailure) {
        failedOpens += 1
        let text = failure.description
        if intake != .failed(text) {
            let advice = failure.isDiskFull ? "; make room on the spool's disk" : ""
            reporter.say(
                .intakeFailed,
                "the spool cannot be worked on: \(text)\(advice); nothing is lost, and "
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

    func settlingFailed(_ batches: [BatchID], _ failure: SpoolFailure) {
        // Deliveries go on meanwhile: one timer and one line serve them all.
        unsettled += batches
        guard unsettled.count == batches.count else { return }
        settleFailures.count += 1
        // The path is another each time.
        let cause = if case .file(let error) = failure { errorText(error.code) } else { "" }
        if settleFailures.count == 1 || settleFailures.text != cause {
            reporter.say(
                .spoolFailing,
                "\(count(batches.count, "batch", plural: "batches")) that left cannot be taken off "
                    + "the spool: \(failure); it is tried again, and nothing is sent twice")
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
                    arrived: { [weak self] in self?.spool.scan() },
                    overflowed: { [weak self] in self?.spool.scanThoroughly() })
                self.watcher = watcher
            }
            try watcher.watch(settings.connectors.map(\.name))
            spool.scan()
        } catch {
            reporter.say(
                .intakeFailed,
                "incoming/ cannot be watched: \(error); it is looked through every "
                    + "\(Self.rescanInterval) seconds")
        }
    }

    func wake(_ timer: any DispatchSourceTimer, at moment: Duration?) {
        guard let moment else { return timer.schedule(deadline: .distantFuture) }
        let delay = max(.milliseconds(1), moment - clock.bootTime())
        timer.schedule(
            deadline: .now() + .milliseconds(Int(delay.milliseconds) + 1),
            leeway: .milliseconds(10))
    }
}
