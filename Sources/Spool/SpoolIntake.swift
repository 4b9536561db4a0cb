import Batching
import Files
import Model

/// Claiming, and what becomes of event files as they are read.
extension Spool {
    /// Claims what lies in `incoming/`, as far as nothing stands in the way.
    func claimNow() {
        guard desk != nil, !isStopping else { return }
        attempt { () throws(FileError) in
            let obstacle = try findObstacle()
            steerReading(obstacle)
            if obstacle != self.obstacle {
                self.obstacle = obstacle
                if obstacle == nil { ballast.make(files) }
                report(obstacle.map { .waiting($0) } ?? .resumed)
            }
            // Files claimed now would be read under the old routing, so that it would never end. But reading that was
            // held for want of room must go on, or it would not end either.
            guard routing == wantedRouting else { return }
            try claim(admission(obstacle))
        }
    }

    private func claim(_ admission: Admission) throws(FileError) {
        let room = min(admission.limit, Limits.unreadFiles - unread)
        guard room > 0 else {
            activity.isIncomingEmpty = false
            activity.isWithheld = admission.isLimited
            return reportActivity()
        }
        let places = admission.places.filter { $0.connector.map { !quiet.contains($0) } ?? true }
        let round = try claimer.round(
            places, connectors: routing.connectors.map(\.name), limit: room, &numbers,
            surroundings)
        if isToldWhatComes { quiet.formUnion(round.empty) }
        if round.lacksLeases, !hasSaidLeasesAreLacking {
            hasSaidLeasesAreLacking = true
            report(.leasesUnavailable)
        }
        round.refusals.forEach { report(.fileRefused($0)) }
        take(round.claimed)
        if !round.claimed.isEmpty {
            report(
                .claimed(
                    files: round.claimed.count, bytes: round.claimed.reduce(0) { $0 + $1.size }))
        }
        let isWithheld = try withhold(admission.withheld)
        activity.writtenFiles = claimer.waitingCount
        activity.isIncomingEmpty = !round.hasMore && !isWithheld
        activity.isWithheld = isWithheld && round.claimed.isEmpty
        activity.hasLooked = true
        // A round that got nowhere would get nowhere again.
        let hasProgressed = !round.claimed.isEmpty || !round.refusals.isEmpty
        if round.hasMore, hasProgressed { scheduleScan() }
        reportActivity()
    }

    /// Gives claimed files to the workers.
    func take(_ names: [ActiveName]) {
        guard !names.isEmpty else { return reportActivity() }
        let clock = clock
        let files = names.map { EventFile($0, clock: clock) }
        for file in files {
            active[file.name.number] = (file, nil)
            newestHour = max(newestHour ?? file.name.hour, file.name.hour)
        }
        unread += files.count
        activity.isIdle = false
        desk?.read(files.filter { !$0.name.isExport })
        hasher?.read(files.filter(\.name.isExport))
        reportActivity()
    }

    func filesRead(_ files: [ReadFile]) {
        unread -= files.count
        var done: [EventFile] = []
        for read in files {
            active[read.file.name.number]?.end = read.end
            if read.end.discarded > 0 {
                report(.discarded(events: read.end.discarded, file: read.file.name.shown))
            }
            if !read.end.ignored.isEmpty {
                report(.membersIgnored(read.end.ignored, file: read.file.name.shown))
            }
            if read.hasRejects { rejected.append(read.file) } else { done.append(read.file) }
        }
        if !rejected.isEmpty { scheduleSeal() }
        release(done)
        if unread < Limits.unreadFiles / 2, !activity.isIncomingEmpty { scheduleScan() }
        if active.count - leaving.count > Limits.heldFiles { makeRoom() }
        advanceQuarantine()
    }

    func deskIdle() {
        activity.isIdle = unread == 0
        advanceRouting()
        reportActivity()
    }

    /// Tells what is under way, once for all that changes in one turn of the lane.
    func reportActivity() {
        guard !isActivityScheduled else { return }
        isActivityScheduled = true
        surroundings.storage.run {
            self.isActivityScheduled = false
            self.activity.activeFiles = self.active.count
            self.activity.activeBytes = self.active.bytes
            self.activity.unsealedBatches = self.unsealed.count
            self.activity.isChangingRouting = self.routing != self.wantedRouting
            self.report(.activity(self.activity))
        }
    }
}
