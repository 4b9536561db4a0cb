import Files
import Model
import Synchronization

/// What lies in the spool at a start, and what it says about what was under way.
///
/// Rubbish is removed on the way: objects without an envelope (their events are still in `active/`), and half-written
/// small files. An object that a crash left behind its envelope follows it. Names come first, on the storage lane; the
/// envelopes, of which there may be very many, are read by all workers.
struct Recovery: Sendable {
    /// Claimed files by number; those that go as they are only if they are not sealed.
    private(set) var active: [ActiveName] = []
    /// Of all that lay in `active/`: some of it may come back there after a power cut.
    private(set) var lowestInActive: UInt64?
    private(set) var claiming: [ClaimingName] = []
    private(set) var quarantined = 0
    /// Exports that are to be deleted in the bucket some day.
    private(set) var stored: [StoredExport] = []
    private var highestName: UInt64 = 0
    private var newestName: Hour?
    private var strangers: [(path: String, reason: String)] = []
    /// Of each connector.
    private var folders: [SealedFolder] = []

    /// Each piece in the order of names, and no connector's pieces out of order.
    private(set) var held: [PackedBatches] = []
    private(set) var findings = EnvelopeFindings()

    init(_ files: any FileSystem) throws(FileError) {
        // What a killed predecessor left is visible; this makes it durable before anything builds on it.
        try files.syncAll()
        try readActive(files)
        try readQuarantine(files)
        let sealed = try files.names(in: SpoolLayout.sealed)
        let expired = try files.names(in: SpoolLayout.expired)
        for name in Set(sealed + expired).sorted() {
            guard let connector = ConnectorName(name) else { continue }
            var folder = try SealedFolder(connector, files)
            try folder.tidy(files)
            for export in folder.stored { note(export.batch.first.file, nil) }
            stored += folder.stored
            folders.append(folder)
        }
        lowestInActive = active.first?.number
        active = try ClaimedExports.follow(active, &folders, files)
    }

    var highestNumber: UInt64 { max(highestName, findings.highestNumber) }
    var newestHour: Hour? {
        guard let newestName else { return findings.newestHour }
        return max(findings.newestHour ?? newestName, newestName)
    }
    var highestLoss: UInt64 { findings.losses.map(\.number).max() ?? 0 }
    /// Files of the spool that are not what they must be.
    var damage: [(path: String, reason: String)] { strangers + findings.unreadable }

    /// Why intake must not begin. How far the stream of an unreadable envelope came is unknown, so reading
    /// `active/` again could deliver its events twice.
    var obstacle: SpoolFailure? {
        guard !active.isEmpty, let first = findings.unreadable.first else { return nil }
        return .damaged(path: first.path, reason: first.reason)
    }

    // MARK: Names

    private mutating func readActive(_ files: any FileSystem) throws(FileError) {
        for name in try files.names(in: SpoolLayout.active) {
            if let file = ActiveName(name) {
                active.append(file)
                note(file.number, file.hour)
            } else if let file = ClaimingName(name) {
                claiming.append(file)
                note(file.number, nil)
            } else {
                strangers.append(
                    ("\(SpoolLayout.active)/\(name)", "sluiced gave no file such a name"))
            }
        }
        active.sort { $0.number < $1.number }
    }

    private mutating func readQuarantine(_ files: any FileSystem) throws(FileError) {
        var (reasons, kept): ([UInt64], Set<UInt64>) = ([], [])
        for name in try files.names(in: SpoolLayout.quarantine) {
            if name.hasPrefix(".") {
                try files.remove("\(SpoolLayout.quarantine)/\(name)")
            }
            if let number = UInt64(name.prefix(16), radix: 16) { note(number, nil) }
            guard let name = QuarantineName(name) else { continue }
            switch name.kind {
            case .reason: reasons.append(name.number)
            case .rejects: quarantined += 1
            case .file:
                quarantined += 1
                kept.insert(name.number)
            }
        }
        // A file comes after its reason, and leaves before it.
        for number in reasons where !kept.contains(number) {
            try files.remove(Quarantine.reasonPath(number))
        }
    }

    private mutating func note(_ number: UInt64, _ hour: Hour?) {
        highestName = max(highestName, number)
        if let hour { newestName = max(newestName ?? hour, hour) }
    }

    // MARK: Envelopes

    /// Reads the envelopes on the workers' lane; `done` is called there.
    func readEnvelopes(
        _ surroundings: SpoolSurroundings, clock: Duration,
        done: @escaping @Sendable (Result<Recovery, FileError>) -> Void
    ) {
        let reading = Reading(folders, readers: max(1, surroundings.workerCount))
        for _ in 0..<max(1, surroundings.workerCount) {
            surroundings.workers.run {
                reading.read(clock, surroundings.files)
                guard let result = reading.end() else { return }
                done(
                    result.map { pieces in
                        var recovery = self
                        recovery.take(pieces)
                        return recovery
                    })
            }
        }
    }

    private mutating func take(_ pieces: [EnvelopeFindings]) {
        folders = []
        for piece in pieces {
            if let packed = piece.packed { held.append(packed) }
            findings.merge(piece)
        }
    }

    /// Envelopes that several workers read, a piece at a time.
    private final class Reading: Sendable {
        private let folders: [SealedFolder]
        private let state: Mutex<State>

        private struct State {
            var pieces: [(folder: Int, range: Range<Int>)] = []
            var next = 0
            var findings: [EnvelopeFindings?]
            var failure: FileError?
            var readers: Int
        }

        init(_ folders: [SealedFolder], readers: Int) {
            self.folders = folders
            var pieces: [(folder: Int, range: Range<Int>)] = []
            for (index, folder) in folders.enumerated() {
                for start in stride(from: 0, to: folder.count, by: Limits.envelopesAtOnce) {
                    let end = min(folder.count, start + Limits.envelopesAtOnce)
                    pieces.append((index, start..<end))
                }
            }
            state = Mutex(
                State(
                    pieces: pieces, findings: Array(repeating: nil, count: pieces.count),
                    readers: readers))
        }

        /// Reads pieces until none is left.
        func read(_ clock: Duration, _ files: any FileSystem) {
            var origins = Origins()
            while let (index, folder, range) = next() {
                var findings = EnvelopeFindings()
                findings.held.reserveCapacity(range.count)
                do throws(FileError) {
                    for entry in range {
                        try findings.read(
                            entry, of: folders[folder], clock: clock, &origins, files)
                    }
                } catch {
                    state.withLock { $0.failure = $0.failure ?? error }
                }
                findings.packHeld()
                let done = findings
                state.withLock { $0.findings[index] = done }
            }
        }

        private func next() -> (index: Int, folder: Int, range: Range<Int>)? {
            state.withLock { state in
                guard state.failure == nil, state.next < state.pieces.count else { return nil }
                defer { state.next += 1 }
                let piece = state.pieces[state.next]
                return (state.next, piece.folder, piece.range)
            }
        }

        /// One reader has ended; what they found, where it was the last.
        func end() -> Result<[EnvelopeFindings], FileError>? {
            state.withLock { state in
                state.readers -= 1
                guard state.readers == 0 else { return nil }
                if let failure = state.failure { return .failure(failure) }
                defer { state.findings = [] }
                return .success(state.findings.compactMap { $0 })
            }
        }
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
}
