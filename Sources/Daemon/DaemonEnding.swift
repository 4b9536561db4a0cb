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
        let cannotSettle = settleFailures.count >= Self.failuresBeforeGivingUp
        var isIntakeOver = cannotSettle || activity.isWithheld
        if case .failed = intake, failedOpens >= Self.failuresBeforeGivingUp { isIntakeOver = true }
        // What can still be delivered is delivered, even where intake is given up.
        let isDeliveryOver = {
            self.outboxes.values.allSatisfy {
                $0.isEmpty || $0.isStuck || (cannotSettle && $0.totals.held.objects == 0)
            }
        }
        if isIntakeOver, isDeliveryOver() { return finishRun(isComplete: false) }
        guard intake.isAtWork, activity.isIdle, activity.isIncomingEmpty,
            activity.writtenFiles == 0, activity.hasLooked, !activity.isChangingRouting
        else { return }
        if activity.unsealedBatches > 0 {
            guard !isFlushing else { return }
            isFlushing = true
            return flush(nil) { [weak self] isSealed in
                self?.isFlushing = false
                // Where intake has stopped, a report follows; asking again before it would spin.
                if isSealed { self?.changed() }
            }
        }
        guard activity.isEmpty, outboxes.values.allSatisfy({ $0.isIdle }), toSettle.isEmpty else {
            return
        }
        let left = outboxes.values.filter { !$0.isEmpty }
        if left.isEmpty { return finishRun(isComplete: true) }
        if left.allSatisfy({ $0.isStuck }) { finishRun(isComplete: false) }
    }

    private static let failuresBeforeGivingUp = 3

    func finishRun(isComplete: Bool) {
        for outbox in outboxes.values.sorted(by: { $0.name < $1.name }) where !outbox.isEmpty {
            let held = outbox.totals.held
            // The rest is delivered and only not yet off the disk, which was told.
            guard held.objects > 0 else { continue }
            let reason =
                outbox.detail ?? outbox.firstFault
                ?? (outbox.settings == nil
                    ? "it is not in the configuration" : "S3 does not answer")
            reporter.say(
                .stopping,
                "connector \(outbox.name): \(count(held.events, outbox.noun)) in "
                    + "\(count(held.objects, "object")) stay in the spool: \(reason)",
                [.connector(outbox.name.description), .events(held.events)], priority: .warning)
        }
        if let detail = intake.detail {
            reporter.say(.stopping, "intake: \(detail)", priority: .warning)
        }
        isStopping = true
        leaveOnceKept(with: isComplete ? ExitStatus.fine : ExitStatus.tryAgainLater)
    }

    /// Ends the process when the clocks of episodes are on the disk; a disk that does not answer holds it for a second.
    private func leaveOnceKept(with status: Int32) {
        guard leavingStatus == nil else { return }
        leavingStatus = status
        if outboxes.values.contains(where: \.hasEpisode) { keepEpisodes() }
        DispatchQueue.main.asyncAfter(deadline: .now() + 1) { [weak self] in
            self?.leave(with: status)
        }
        leaveWhenKept()
    }

    func leaveWhenKept() {
        guard let leavingStatus, !isKeepingScheduled, keeping == 0 else { return }
        leave(with: leavingStatus)
    }

    /// Begins nothing new, and gives what is under way a moment to end. What does not is sent again at the next start.
    func stop() {
        guard !isStopping else { return }
        isStopping = true
        Notify.send(.stopping, .extendTimeout(.seconds(5)))
        reporter.say(.stopping, "stopping: what is not delivered stays in the spool")
        for outbox in outboxes.values { outbox.stop() }
        DispatchQueue.main.asyncAfter(deadline: .now() + 2) { [weak self] in
            guard let self else { return }
            self.leave(with: self.statusWhenStopped)
        }
        endWhenQuiet()
    }

    /// A run that is to end when nothing is left has not come so far.
    private var statusWhenStopped: Int32 {
        runsUntilEmpty ? ExitStatus.tryAgainLater : ExitStatus.fine
    }

    func endWhenQuiet() {
        guard toSettle.isEmpty, outboxes.values.allSatisfy({ $0.isIdle }) else { return }
        leaveOnceKept(with: statusWhenStopped)
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
