import Delivery
import Digest
import Dispatch
import Files
import Model
import S3
import Spool

/// Deletes a connector's exports from its bucket when their time has come (`remove_after`).
///
/// What lies under the key by then must be what was stored: it is compared first, and deleted by its ETag where the store
/// knows such a condition. Whatever stands in the way is told once, and tried again. When an object is gone, or somebody
/// else's, the spool forgets it.
final class Removals {
    private let name: ConnectorName
    private let surroundings: OutboxSurroundings
    private var settings: ConnectorSettings?
    private var client: S3Client?
    /// The soonest last.
    private var waiting: [Entry] = []
    private var underWay: Set<BatchID> = []
    /// After a failure nothing is tried for a while.
    private var pausedUntil = Timestamp(unixSeconds: 0)
    private var failures = 0
    private var isRefusalTold = false
    private var isStopped = false
    private let timer = DispatchSource.makeTimerSource(queue: .main)

    private struct Entry {
        var export: StoredExport
        var due: Timestamp
    }

    /// Objects looked at side by side.
    private static let mostUnderWay = 4
    /// The wall clock may be set meanwhile, so it is looked at now and then.
    private static let longestSleep = Duration.seconds(600)

    init(_ name: ConnectorName, _ surroundings: OutboxSurroundings) {
        self.name = name
        self.surroundings = surroundings
        timer.setEventHandler { [weak self] in self?.pump() }
        timer.schedule(deadline: .distantFuture)
        timer.activate()
    }

    /// Objects that are to be deleted, and when the first of them.
    var status: (objects: Int, next: Timestamp?) {
        (waiting.count + underWay.count, waiting.last?.due)
    }

    // MARK: Orders

    func configure(_ settings: ConnectorSettings?, client: S3Client?) {
        self.settings = settings
        self.client = client
        isRefusalTold = false
        failures = 0
        pausedUntil = Timestamp(unixSeconds: 0)
        if let settings, settings.removeAfter == nil, !waiting.isEmpty {
            // Nothing is deleted that nobody wants deleted any more.
            surroundings.spool.forget(waiting.map(\.export))
            waiting = []
        }
        pump()
    }

    /// Takes what a start found, in place of what was known.
    func replace(by exports: [StoredExport]) {
        waiting = exports.filter { !underWay.contains($0.batch) }
            .map { Entry(export: $0, due: $0.removal) }.sorted { $0.due > $1.due }
        configure(settings, client: client)
    }

    func take(_ export: StoredExport) {
        insert(Entry(export: export, due: export.removal))
        pump()
    }

    /// Mostly it is the latest of all.
    private func insert(_ entry: Entry) {
        let place = waiting.firstIndex { $0.due <= entry.due } ?? waiting.count
        waiting.insert(entry, at: place)
    }

    func stop() {
        isStopped = true
        timer.cancel()
    }

    // MARK: Deleting

    private func pump() {
        guard !isStopped, let client, let age = settings?.removeAfter else { return }
        while let next = waiting.last, underWay.count < Self.mostUnderWay {
            let now = surroundings.clock.now()
            let due = max(next.due, pausedUntil)
            if due > now { return wake(in: .seconds(due.unixSeconds - now.unixSeconds)) }
            waiting.removeLast()
            underWay.insert(next.export.batch)
            read(next.export, client, age)
        }
    }

    private func wake(in delay: Duration) {
        let delay = min(delay, Self.longestSleep)
        timer.schedule(
            deadline: .now() + .milliseconds(Int(delay.milliseconds)), leeway: .seconds(1))
    }

    private func read(_ export: StoredExport, _ client: S3Client, _ age: Duration) {
        let files = surroundings.files
        surroundings.queue.async { [weak self] in
            let envelope = Result { () throws(SpoolFailure) in try export.envelope(files) }
            onLoop {
                switch envelope {
                case .success(let envelope): self?.look(export, envelope, client, age)
                case .failure(let failure):
                    self?.leave(export, nil, "\(failure)")
                }
            }
        }
    }

    private func look(
        _ export: StoredExport, _ envelope: Envelope, _ client: S3Client, _ age: Duration,
        corrections: Int = 0
    ) {
        client.headObject(envelope.key) { [self] reply in
            switch reply.disposition {
            case .answered:
                guard let answer = reply.answer else { return again(export, reply, envelope) }
                switch Removal(
                    of: answer, length: envelope.size, digest: envelope.digest.description, age: age
                )
                {
                case .delete(let tag): delete(export, envelope, tag, client)
                case .later(let left): postpone(export, by: left)
                case .replaced(let existing):
                    leave(export, envelope, "\(existing.clause) lies there")
                case .unknown:
                    leave(
                        export, envelope,
                        "nobody can tell whether what lies there was uploaded from here")
                }
            case .missing:
                // Somebody else was first.
                forget(export)
            case .clock, .region, .refreshCredentials:
                guard corrections < 2, client.correct(by: reply.disposition) else {
                    return again(export, reply, envelope)
                }
                look(export, envelope, client, age, corrections: corrections + 1)
            default:
                again(export, reply, envelope)
            }
        }
    }

    private func delete(
        _ export: StoredExport, _ envelope: Envelope, _ entityTag: String?, _ client: S3Client
    ) {
        client.deleteObject(envelope.key, ifMatch: entityTag) { [self] reply in
            switch reply.disposition {
            case .answered, .missing:
                surroundings.reporter.removed(envelope, place(envelope))
                forget(export)
            case .existing:
                leave(export, envelope, "another object lies there")
            case .unsupported where client.correct(by: reply.disposition):
                delete(export, envelope, entityTag, client)
            default:
                again(export, reply, envelope)
            }
        }
    }

    // MARK: What became of it

    private func forget(_ export: StoredExport) {
        failures = 0
        isRefusalTold = false
        surroundings.spool.forget([export])
        end(export)
    }

    /// What lies there is not ours to delete.
    private func leave(_ export: StoredExport, _ envelope: Envelope?, _ found: String) {
        surroundings.reporter.removalLeft(export.batch, envelope, found, place(envelope))
        surroundings.spool.forget([export])
        end(export)
    }

    /// In memory only: the name keeps the time that was set at first.
    private func postpone(_ export: StoredExport, by delay: Duration) {
        insert(Entry(export: export, due: time(in: delay)))
        end(export)
    }

    private func again(_ export: StoredExport, _ reply: S3Reply, _ envelope: Envelope) {
        failures += 1
        if !isRefusalTold {
            isRefusalTold = true
            surroundings.reporter.removalFailed(
                reply.disposition, of: reply.attempt.operation, place(envelope))
        }
        // At least a second, so that nothing goes round and round.
        let delay = Backoff(base: .seconds(2), cap: .seconds(300)).delay(
            failures: failures, random: Double.random(in: 0.5..<1))
        pausedUntil = time(in: delay)
        postpone(export, by: delay)
    }

    private func time(in delay: Duration) -> Timestamp {
        Timestamp(
            unixSeconds: surroundings.clock.now().unixSeconds + delay.components.seconds + 1)
    }

    private func end(_ export: StoredExport) {
        underWay.remove(export.batch)
        pump()
        surroundings.changed()
    }

    private func place(_ envelope: Envelope?) -> Destination {
        Destination(
            connector: name.description, bucket: settings?.bucket ?? "",
            host: settings?.endpoint ?? "S3", key: envelope?.key, noun: "file")
    }
}
