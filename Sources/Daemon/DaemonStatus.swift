import Dispatch
import Files
import Model
import Spool
import Systemd

/// What the daemon tells of itself.
extension Daemon {
    func status(_ completion: @escaping @MainActor (StatusDocument) -> Void) {
        measure { completion(self.document(space: $0.space)) }
    }

    func metrics(_ completion: @escaping @MainActor (StatusMetrics) -> Void) {
        measure { figures in
            completion(
                StatusMetrics(
                    status: self.document(space: figures.space), process: figures.process))
        }
    }

    /// What only the system knows.
    nonisolated struct Figures: Sendable {
        var space: FileSystemSpace?
        var process = ProcessFigures(cpuSeconds: 0)
    }

    /// For so long a disk may take to say how full it is.
    ///
    /// One that hangs is just when somebody wants to know how things stand; then the figures of the last time do.
    private static let patience = DispatchTimeInterval.seconds(1)

    private final class Question {
        var isAnswered = false
    }

    private func measure(_ completion: @escaping @MainActor (Figures) -> Void) {
        let (files, question) = (files, Question())
        let finish: @MainActor (Figures?) -> Void = { [weak self] figures in
            guard let self else { return }
            if let figures { self.figures = figures }
            guard !question.isAnswered else { return }
            question.isAnswered = true
            completion(self.figures)
        }
        lanes.reading.async {
            let figures = Figures(space: try? files.space(), process: ProcessFigures.now())
            onLoop { finish(figures) }
        }
        DispatchQueue.main.asyncAfter(deadline: .now() + Self.patience) { finish(nil) }
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
