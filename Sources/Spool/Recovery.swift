import Files
import Model

/// What lies in the spool at a start, and what it says about what was under way.
///
/// Rubbish is removed on the way: objects without an envelope (their events are still in `active/`), and half-written
/// small files. An object that a crash left behind its envelope follows it.
struct Recovery {
    /// Claimed event files by number.
    var active: [ActiveName] = []
    var claiming: [ClaimingName] = []
    var held: [HeldBatch] = []
    /// Settled batches, which still say how far their streams came.
    var tombstones: [Tombstone] = []
    var archived: [ConnectorName: ArchiveSums] = [:]
    /// Losses that `totals` does not count yet.
    var losses: [(number: UInt64, loss: Loss)] = []
    var highestLoss: UInt64 = 0
    /// How far each stream was sealed.
    var sealedThrough: [StreamID: Position] = [:]
    var highestNumber: UInt64 = 0
    var newestHour: Hour?
    var latestClock: Duration?
    var quarantined = 0
    /// Files of the spool that are not what they must be.
    var damage: [(path: String, reason: String)] = []
    private var unreadable: [(path: String, reason: String)] = []
    private var hours: [String: Hour] = [:]

    /// - Parameters:
    ///   - counted: the highest number of a loss that `totals` has.
    ///   - clock: stands for the reading that an older envelope does not have.
    init(
        _ files: any FileSystem, counted: UInt64, clock: Duration, _ origins: inout Origins
    ) throws(FileError) {
        // What a killed predecessor left is visible; this makes it durable before anything builds on it.
        try files.syncAll()
        try readActive(files)
        try readQuarantine(files)
        let sealed = try files.names(in: SpoolLayout.sealed)
        let expired = try files.names(in: SpoolLayout.expired)
        for name in Set(sealed + expired) {
            guard let connector = ConnectorName(name) else { continue }
            var folder = try SealedFolder(connector, files)
            try folder.tidy(files)
            try readHeld(folder, clock, &origins, files)
            try readSettled(folder, counted, files)
        }
        held.sort { $0.id < $1.id }
    }

    /// Why intake must not begin. How far the stream of an unreadable envelope came is unknown, so reading
    /// `active/` again could deliver its events twice.
    var obstacle: SpoolFailure? {
        guard !active.isEmpty, let first = unreadable.first else { return nil }
        return .damaged(path: first.path, reason: first.reason)
    }

    private mutating func readActive(_ files: any FileSystem) throws(FileError) {
        for name in try files.names(in: SpoolLayout.active) {
            if let file = ActiveName(name) {
                active.append(file)
                note(file.number, file.hour)
            } else if let file = ClaimingName(name) {
                claiming.append(file)
                note(file.number, nil)
            } else {
                damage.append(("\(SpoolLayout.active)/\(name)", "sluiced gave no file such a name"))
            }
        }
        active.sort { $0.number < $1.number }
    }

    private mutating func readQuarantine(_ files: any FileSystem) throws(FileError) {
        for name in try files.names(in: SpoolLayout.quarantine) {
            if name.hasPrefix(".") {
                try files.remove("\(SpoolLayout.quarantine)/\(name)")
            } else if name.dropFirst(16) != ".reason" {
                quarantined += 1
            }
            if let number = UInt64(name.prefix(16), radix: 16) { note(number, nil) }
        }
    }

    // MARK: Envelopes

    private mutating func readHeld(
        _ folder: SealedFolder, _ clock: Duration, _ origins: inout Origins,
        _ files: any FileSystem
    ) throws(FileError) {
        held.reserveCapacity(held.count + folder.envelopes.count)
        for first in folder.envelopes.all {
            let id = BatchID(connector: folder.connector, first: first)
            guard let summary = try read(SpoolLayout.envelope(id), id, files) else { continue }
            let origin = origins.origin(folder.connector, summary.eventType)
            var batch = HeldBatch(summary, origin, clock: clock)
            batch.isFromEarlierProcess = true
            batch.isObjectMissing = !folder.objects.contains(first)
            batch.isUncertain = folder.uncertain.contains(first)
            held.append(batch)
        }
    }

    private mutating func readSettled(
        _ folder: SealedFolder, _ counted: UInt64, _ files: any FileSystem
    ) throws(FileError) {
        for first in folder.delivered {
            let id = BatchID(connector: folder.connector, first: first)
            let path = SpoolLayout.tombstone(id)
            guard let summary = try read(path, id, files) else { continue }
            tombstones.append(Tombstone(path: path, through: summary.through))
        }
        for (first, name) in folder.losses {
            let id = BatchID(connector: folder.connector, first: first)
            let path = name.path(id)
            highestLoss = max(highestLoss, name.number)
            guard let summary = try read(path, id, files) else { continue }
            if name.kind == .archived {
                archived[folder.connector, default: ArchiveSums()].add(
                    events: Int(summary.events), bytes: summary.size)
            } else {
                tombstones.append(
                    Tombstone(path: path, through: summary.through, number: name.number))
            }
            if name.number > counted { losses.append((name.number, Loss(id, name, summary))) }
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
            damage.append((path, error.description))
            unreadable.append((path, error.description))
            return nil
        }
    }

    private mutating func note(_ summary: EnvelopeSummary, _ batch: BatchID, _ hour: Hour) {
        let stream = StreamID(
            connector: batch.connector, eventType: summary.eventType, hour: hour)
        sealedThrough[stream] = max(sealedThrough[stream] ?? summary.through, summary.through)
        note(max(summary.through.file, batch.first.file), hour)
        if let clock = summary.acceptedClock {
            latestClock = max(latestClock ?? .zero, .milliseconds(clock))
        }
    }

    private mutating func note(_ number: UInt64, _ hour: Hour?) {
        highestNumber = max(highestNumber, number)
        if let hour { newestHour = max(newestHour ?? hour, hour) }
    }
}

/// A settled batch whose name is kept until the event files it covers are gone for good, and a loss is counted.
struct Tombstone: Sendable, Equatable {
    var path: String
    var through: Position
    /// Of the loss; 0: it was delivered.
    var number: UInt64 = 0
}

extension Loss {
    init(_ batch: BatchID, _ name: LossName, _ summary: EnvelopeSummary) {
        let from = Timestamp(unixSeconds: summary.acceptedFrom)
        let to = Timestamp(unixSeconds: summary.acceptedTo)
        self.init(
            batch: batch, kind: name.kind, perhapsDelivered: name.perhapsDelivered,
            eventType: summary.eventType, events: Int(summary.events), bytes: summary.size,
            offset: summary.offset, accepted: from...max(from, to))
    }

    init(_ batch: HeldBatch, _ name: LossName) {
        self.init(
            batch: batch.id, kind: name.kind, perhapsDelivered: name.perhapsDelivered,
            eventType: batch.eventType, events: batch.events, bytes: batch.size,
            offset: batch.offset, accepted: batch.acceptedFrom...batch.accepted)
    }
}
