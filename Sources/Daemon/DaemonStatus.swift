import Dispatch
import Files
import Model
import Spool
import Systemd

/// What the daemon tells of itself.
extension Daemon {
    /// Asks the file system for its space first, which may take its time on a disk in trouble.
    func status(_ completion: @escaping @MainActor (StatusDocument) -> Void) {
        let files = files
        lanes.reading.async { [weak self] in
            let space = try? files.space()
            onLoop { if let self { completion(self.document(space: space)) } }
        }
    }

    func metrics(_ completion: @escaping @MainActor (StatusMetrics) -> Void) {
        let files = files
        lanes.reading.async { [weak self] in
            let (space, process) = (try? files.space(), ProcessFigures.now())
            onLoop {
                guard let self else { return }
                completion(StatusMetrics(status: self.document(space: space), process: process))
            }
        }
    }

    private func document(space: FileSystemSpace?) -> StatusDocument {
        let sorted = outboxes.values.sorted { $0.name < $1.name }
        return StatusDocument(
            now: clock.now(), started: started, summary: summary, spool: spoolStatus(space),
            connectors: sorted.filter { $0.settings != nil }.map { $0.status(archived[$0.name]) },
            orphans: sorted.filter { $0.settings == nil && !$0.isEmpty }
                .map { $0.status(archived[$0.name]) },
            problems: reporter.journal.problems.newestFirst)
    }

    private func spoolStatus(_ space: FileSystemSpace?) -> SpoolStatus {
        SpoolStatus(
            directory: settings.spool.directory, zone: settings.identity.zone ?? identity.zone,
            partition: settings.identity.partition ?? identity.partition, intake: intake,
            activity: activity, quarantined: quarantined, ignoredMembers: ignoredMembers,
            space: space, minimumFree: settings.spool.minimumFree)
    }

    var healthCheck: HealthCheck {
        let sorted = outboxes.values.filter { $0.settings != nil }.sorted { $0.name < $1.name }
        return HealthCheck(intake: intake, connectors: sorted.map { $0.status(nil) })
    }

    /// Takes note of how things stand; to be called once a minute.
    func sample() {
        var held = BatchSums()
        for outbox in outboxes.values { held.add(outbox.totals.held) }
        history.sample(
            flow: flow, heldEvents: held.events, heldBytes: held.bytes, at: clock.bootTime(),
            wall: clock.now())
    }
}
