import Dispatch
import Glibc
import Model
import Spool
import Systemd

/// The end of a run: because nothing is left to do, or because somebody says so.
extension Daemon {
    /// Ends a run that is to end when nothing is left to do.
    func endWhenEmpty() {
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

    func finishRun(isComplete: Bool) {
        for outbox in outboxes.values.sorted(by: { $0.name < $1.name }) where !outbox.isEmpty {
            let held = outbox.totals.held
            let reason =
                outbox.detail ?? outbox.firstFault
                ?? (outbox.settings == nil
                    ? "it is not in the configuration" : "S3 does not answer")
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
    func stop() {
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

    func endWhenQuiet() {
        guard !runsUntilEmpty, toSettle.isEmpty, outboxes.values.allSatisfy({ $0.isIdle }) else {
            return
        }
        leave(with: ExitStatus.fine)
    }

    /// Ends the process without waiting for anything that may not end.
    func leave(with status: Int32) {
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
