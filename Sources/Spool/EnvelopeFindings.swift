import Files
import Model

/// What a number of envelopes say, read one after another.
struct EnvelopeFindings: Sendable {
    /// In the order of their names; `packed` once all are read.
    var held: [HeldBatch] = []
    private(set) var packed: PackedBatches?
    /// Settled batches, which still say how far their streams came.
    var tombstones: [Tombstone] = []
    var archived: [ConnectorName: ArchiveSums] = [:]
    var losses: [(number: UInt64, loss: Loss)] = []
    /// How far each stream was sealed.
    var sealedThrough: [StreamID: Position] = [:]
    var highestNumber: UInt64 = 0
    var newestHour: Hour?
    var latestClock: Duration?
    var unreadable: [(path: String, reason: String)] = []
    private var hours: [String: Hour] = [:]

    /// Reads one of a folder's envelopes.
    ///
    /// - Parameter clock: stands for the reading that an older envelope does not have.
    mutating func read(
        _ index: Int, of folder: SealedFolder, clock: Duration, _ origins: inout Origins,
        _ files: any FileSystem
    ) throws(FileError) {
        let name = folder.envelope(index)
        let id = BatchID(connector: folder.connector, first: name.first)
        switch name.kind {
        case .envelope:
            guard let summary = try read(SpoolLayout.envelope(id), id, files) else { return }
            let origin = origins.origin(folder.connector, summary.eventType)
            var batch = HeldBatch(summary, origin, clock: clock)
            batch.isFromEarlierProcess = true
            batch.isObjectMissing = !folder.objects.contains(name.first)
            batch.isUncertain = folder.uncertain.contains(name.first)
            batch.hasUpload = folder.uploads.contains(name.first)
            held.append(batch)
        case .loss(let loss):
            guard let summary = try read(loss.path(id), id, files) else { return }
            losses.append((loss.number, Loss(id, loss, summary)))
            if loss.kind == .archived {
                archived[id.connector, default: ArchiveSums()].add(
                    events: Int(summary.events), bytes: summary.size)
            } else {
                tombstones.append(
                    Tombstone(path: loss.path(id), through: summary.through, number: loss.number))
            }
        case .object, .uncertain, .upload, .stored, .delivered:
            let path = SpoolLayout.tombstone(id)
            guard let summary = try read(path, id, files) else { return }
            tombstones.append(Tombstone(path: path, through: summary.through))
        }
    }

    private mutating func read(
        _ path: String, _ batch: BatchID, _ files: any FileSystem
    ) throws(FileError) -> EnvelopeSummary? {
        guard let bytes = try files.read(path, limit: Limits.stateBytes) else { return nil }
        do throws(CheckedText.Fault) {
            let summary = try EnvelopeSummary(bytes)
            guard summary.connector == batch.connector.description, summary.first == batch.first
            else { throw .damaged("it is the envelope of another batch") }
            guard let hour = hours[summary.hour] ?? Hour(summary.hour) else {
                throw .damaged("\"\(summary.hour)\" is no hour")
            }
            hours[summary.hour] = hour
            note(summary, batch, hour)
            return summary
        } catch {
            unreadable.append((path, error.description))
            return nil
        }
    }

    private mutating func note(_ summary: EnvelopeSummary, _ batch: BatchID, _ hour: Hour) {
        let stream = StreamID(
            connector: batch.connector, eventType: summary.eventType, hour: hour)
        raise(stream, to: summary.through)
        highestNumber = max(highestNumber, summary.through.file, batch.first.file)
        newestHour = max(newestHour ?? hour, hour)
        if let clock = summary.acceptedClock {
            latestClock = max(latestClock ?? .zero, .milliseconds(clock))
        }
    }

    private mutating func raise(_ stream: StreamID, to through: Position) {
        sealedThrough[stream] = max(sealedThrough[stream] ?? through, through)
    }

    mutating func packHeld() {
        guard !held.isEmpty else { return }
        packed = PackedBatches(held)
        held = []
    }

    /// Adds what others say. Held batches stay apart, for there may be very many.
    mutating func merge(_ other: EnvelopeFindings) {
        tombstones += other.tombstones
        losses += other.losses
        for (connector, sums) in other.archived {
            archived[connector, default: ArchiveSums()].add(sums)
        }
        for (stream, through) in other.sealedThrough { raise(stream, to: through) }
        highestNumber = max(highestNumber, other.highestNumber)
        if let hour = other.newestHour { newestHour = max(newestHour ?? hour, hour) }
        if let clock = other.latestClock { latestClock = max(latestClock ?? clock, clock) }
        unreadable += other.unreadable
    }
}
