import Files
import Model

/// What lies in the spool at a start, and what it says about what was under way.
///
/// Rubbish is removed on the way: objects without an envelope (their events are still in `active/`), and half-written
/// small files.
struct Recovery {
    /// Claimed event files by number.
    var active: [ActiveName] = []
    var claiming: [ClaimingName] = []
    var held: [HeldBatch] = []
    /// Settled batches, which still say how far their streams came.
    var tombstones: [Tombstone] = []
    /// How far each stream was sealed.
    var sealedThrough: [StreamID: Position] = [:]
    var highestNumber: UInt64 = 0
    var newestHour: Hour?
    var quarantined = 0
    /// Files of the spool that are not what they must be.
    var damage: [(path: String, reason: String)] = []
    private var unreadable: [(path: String, reason: String)] = []

    init(_ files: any FileSystem) throws(FileError) {
        // What a killed predecessor left is visible; this makes it durable before anything builds on it.
        try files.syncAll()
        try readActive(files)
        try readQuarantine(files)
        for name in try files.names(in: SpoolLayout.sealed) {
            guard let connector = ConnectorName(name) else { continue }
            try readSealed(connector, files)
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

    private mutating func readSealed(
        _ connector: ConnectorName, _ files: any FileSystem
    ) throws(FileError) {
        let directory = SpoolLayout.sealed(connector)
        let names = try files.names(in: directory)
        var objects = Set(names.filter { $0.hasSuffix(".object") })
        for name in names {
            let path = "\(directory)/\(name)"
            if name.hasSuffix(".envelope") {
                guard let envelope = try readEnvelope(path, files) else { continue }
                var batch = HeldBatch(envelope)
                batch.isFromEarlierProcess = true
                batch.isObjectMissing = objects.remove(batch.id.name + ".object") == nil
                held.append(batch)
                note(envelope)
            } else if name.hasSuffix(".delivered") {
                guard let envelope = try readEnvelope(path, files) else { continue }
                tombstones.append(Tombstone(id: envelope.batch, through: envelope.through))
                note(envelope)
            } else if name.hasSuffix(".new") {
                try files.remove(path)
            }
        }
        // An object whose envelope is unreadable is kept too: somebody may mend it.
        for name in objects {
            let stem = name.dropLast(".object".count)
            let isDamaged = damage.contains { $0.path == "\(directory)/\(stem).envelope" }
            if !isDamaged { try files.remove("\(directory)/\(name)") }
        }
    }

    private mutating func readEnvelope(
        _ path: String, _ files: any FileSystem
    ) throws(FileError) -> Envelope? {
        guard let bytes = try files.read(path, limit: Limits.stateBytes) else { return nil }
        do throws(CheckedText.Fault) {
            return try Envelope(CheckedText(bytes, kind: "envelope"))
        } catch {
            damage.append((path, error.description))
            unreadable.append((path, error.description))
            return nil
        }
    }

    private mutating func note(_ envelope: Envelope) {
        let stream = envelope.stream
        sealedThrough[stream] = max(sealedThrough[stream] ?? envelope.through, envelope.through)
        note(max(envelope.through.file, envelope.batch.first.file), envelope.hour)
    }

    private mutating func note(_ number: UInt64, _ hour: Hour?) {
        highestNumber = max(highestNumber, number)
        if let hour { newestHour = max(newestHour ?? hour, hour) }
    }
}

/// A settled batch whose name is kept until the event files it covers are gone for good.
struct Tombstone: Sendable, Equatable {
    var id: BatchID
    var through: Position
}
