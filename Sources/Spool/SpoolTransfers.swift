import Files
import Model

/// Carries out transfers, in groups: each group is durable, then told, then counted.
///
/// ```
/// rename envelopes | sync directories | objects follow, tell | it is written in the journal | write totals | tombstones may go
/// storage            syncing            storage                elsewhere                      syncing        storage
/// ```
///
/// Space is freed before anything is written. After a failure the renamed ones stay in `transferred`, and the next
/// transfer or look into `incoming/` begins with them again; a crash leaves them for the next start to find. It tells of
/// what is not counted: so a loss may be told twice, but never is one counted twice, or not told.
extension Spool {
    /// What is known of losses, and what is on its way.
    struct Ledger {
        /// nil: not yet read.
        var totals: Totals?
        var highestLoss: UInt64 = 0
        var archived: [ConnectorName: ArchiveSums] = [:]
        var waiting = Fifo<Transfer>()
        var transferred: [Transferred] = []
        var isAtWork = false
        /// Connectors whose directory in `expired/` is durable.
        var durablyExpired: Set<ConnectorName> = []
    }

    /// Reads `totals`, the first time.
    func readTotals() throws(SpoolFailure) {
        if ledger.totals == nil { ledger.totals = try Totals(files) }
    }

    /// Takes over what a start found, and counts what an earlier process could not.
    func adopt(_ recovery: Recovery) {
        ledger.archived = recovery.findings.archived
        ledger.highestLoss = max(
            ledger.highestLoss, recovery.highestLoss, ledger.totals?.counted ?? 0)
        // Where the totals cannot be read, nothing can be said of what is in them.
        guard let counted = ledger.totals?.counted else { return }
        let known = Set(ledger.transferred.compactMap { $0.loss?.number })
        let losses = recovery.findings.losses.sorted { $0.number < $1.number }
        for (number, loss) in losses where number > counted && !known.contains(number) {
            ledger.transferred.append(
                Transferred(
                    batch: loss.batch, loss: (number, loss), object: objectMove(loss.batch, loss)))
        }
    }

    func transfer(_ transfers: [Transfer]) {
        ledger.waiting.append(contentsOf: transfers)
        transferNext()
    }

    /// Begins with the next group, unless one is under way.
    func transferNext() {
        guard !isOpening, !ledger.isAtWork, !ledger.waiting.isEmpty || !ledger.transferred.isEmpty
        else {
            return
        }
        guard ledger.totals != nil else {
            return refuseWaiting(
                .damaged(path: SpoolLayout.totals, reason: "it could not be read at the start"))
        }
        renameGroup()
        guard !ledger.transferred.isEmpty else { return }
        ledger.isAtWork = true
        let directories = Set(ledger.transferred.flatMap(\.directories)).sorted()
        beside({ files throws(FileError) in
            for path in directories where try files.status(path) != nil {
                try files.syncDirectory(path)
            }
        }) { $0.moveObjects() }
    }

    /// Runs what waits for the disk on its own lane, whether intake runs or not, and goes on here.
    private func beside(
        _ body: @escaping @Sendable (any FileSystem) throws(FileError) -> Void,
        then proceed: @escaping @Sendable (Spool) -> Void
    ) {
        let (files, storage) = (files, surroundings.storage)
        surroundings.syncing.run { [weak self] in
            let result = Result { () throws(FileError) in try body(files) }
            storage.run { [weak self] in
                guard let self else { return }
                switch result {
                case .success: proceed(self)
                case .failure(let error): self.transferFailed(.file(error))
                }
            }
        }
    }

    // MARK: Renaming

    private func renameGroup() {
        var busy: [BatchID: Bool] = [:]
        for item in ledger.transferred { busy[item.batch] = item.held != nil }
        var postponed: [Transfer] = []
        var already: [BatchID] = []
        var failed: (batches: [BatchID], failure: SpoolFailure)?
        while ledger.transferred.count < Limits.transfersPerGroup,
            let next = ledger.waiting.popFirst()
        {
            if let isReturning = busy[next.batch] {
                // Asked for again after a failure, a loss is on its way already. Whatever else comes is for the next
                // group: a loss is counted, and its object where it belongs, before anything else happens to a batch.
                if case .lose = next, !isReturning { continue }
                postponed.append(next)
                continue
            }
            do throws(SpoolFailure) {
                switch next {
                case .lose(let settlement):
                    if !(try lose(settlement)) { already.append(settlement.batch.id) }
                case .discard(let id, let name, let request): try discard(id, name, request)
                case .retry(let id, let name, let request): try retry(id, name, request)
                }
                if let last = ledger.transferred.last, last.batch == next.batch {
                    busy[last.batch] = last.held != nil
                }
            } catch {
                switch next {
                case .lose(let settlement):
                    failed = ((failed?.batches ?? []) + [settlement.batch.id], error)
                case .discard(_, _, let request), .retry(_, _, let request):
                    request.failed(error)
                }
            }
        }
        ledger.waiting.append(contentsOf: postponed)
        if let failed { report(.settleFailed(failed.batches, failed.failure)) }
        if !already.isEmpty { report(.settled(already)) }
    }

    /// False where it was settled before.
    private func lose(_ settlement: Settlement) throws(SpoolFailure) -> Bool {
        guard let loss = Loss(settlement) else {
            preconditionFailure("a delivered batch is no loss")
        }
        let batch = settlement.batch
        let envelope = SpoolLayout.envelope(batch.id)
        return try onFile { () throws(FileError) in
            guard try files.status(envelope) != nil else { return false }
            let name = nextName(loss)
            if loss.kind == .archived { try makeExpired(batch.id.connector) }
            try files.rename(envelope, to: name.path(batch.id))
            if loss.kind == .archived {
                ledger.archived[batch.id.connector, default: ArchiveSums()].add(
                    events: loss.events, bytes: loss.bytes)
            } else {
                tombstones.append(
                    Tombstone(
                        path: name.path(batch.id), through: batch.through, number: name.number))
            }
            heldBytes.remove(batch.id.connector, batch.size)
            ledger.transferred.append(
                Transferred(
                    batch: batch.id, loss: (name.number, loss), isAsked: true,
                    object: objectMove(batch.id, loss)))
            return true
        }
    }

    private func nextName(_ loss: Loss) -> LossName {
        ledger.highestLoss += 1
        return LossName(
            number: ledger.highestLoss, kind: loss.kind, perhapsDelivered: loss.perhapsDelivered)
    }

    private func objectMove(_ batch: BatchID, _ loss: Loss) -> (from: String, to: String?) {
        switch loss.kind {
        case .archived: (SpoolLayout.object(batch), SpoolLayout.archivedObject(batch))
        case .dropped, .discarded: (SpoolLayout.object(batch), nil)
        case .discardedFromArchive: (SpoolLayout.archivedObject(batch), nil)
        }
    }

    private func makeExpired(_ connector: ConnectorName) throws(FileError) {
        // One that is there may be of an attempt whose sync failed: nothing in it would outlast a power cut.
        guard !ledger.durablyExpired.contains(connector) else { return }
        if try files.status(SpoolLayout.expired(connector)) == nil {
            try files.makeDirectory(SpoolLayout.expired(connector), mode: 0o700)
        }
        try files.syncDirectory(SpoolLayout.expired)
        ledger.durablyExpired.insert(connector)
    }

    private func discard(
        _ id: BatchID, _ name: LossName, _ request: ArchiveRequest
    ) throws(SpoolFailure) {
        let envelope = try Envelope.read(name.path(id), files)
        ledger.highestLoss += 1
        let next = LossName(
            number: ledger.highestLoss, kind: .discardedFromArchive,
            perhapsDelivered: name.perhapsDelivered)
        try onFile { () throws(FileError) in try files.rename(name.path(id), to: next.path(id)) }
        let loss = Loss(id, next, EnvelopeSummary(envelope))
        ledger.archived[id.connector]?.remove(events: loss.events, bytes: loss.bytes)
        tombstones.append(
            Tombstone(path: next.path(id), through: envelope.through, number: next.number))
        ledger.transferred.append(
            Transferred(
                batch: id, loss: (next.number, loss), object: objectMove(id, loss),
                request: request))
    }

    private func retry(
        _ id: BatchID, _ name: LossName, _ request: ArchiveRequest
    ) throws(SpoolFailure) {
        var envelope = try Envelope.read(name.path(id), files)
        // It waits for a whole window again: somebody wants it delivered, and not given up at the next rejection.
        envelope.acceptedClock = clock
        let summary = EnvelopeSummary(envelope)
        var batch = HeldBatch(
            summary, origins.origin(id.connector, summary.eventType), clock: clock)
        batch.isFromEarlierProcess = true
        batch.isUncertain = name.perhapsDelivered
        try onFile { () throws(FileError) in
            if name.perhapsDelivered {
                // Durable before its envelope's name, which is what says so until then.
                try files.write(SpoolLayout.uncertain(id), [])
                try files.syncDirectory(SpoolLayout.sealed(id.connector))
                uncertain.insert(id)
            }
            try files.replace(
                name.path(id), with: envelope.text.bytes, in: SpoolLayout.expired(id.connector))
            try files.rename(name.path(id), to: SpoolLayout.envelope(id))
        }
        ledger.archived[id.connector]?.remove(events: batch.events, bytes: batch.size)
        heldBytes.add(id.connector, batch.size)
        ledger.transferred.append(
            Transferred(
                batch: id, held: batch,
                object: (SpoolLayout.archivedObject(id), SpoolLayout.object(id)), request: request))
    }

    // MARK: What follows

    private func moveObjects() {
        do throws(FileError) {
            for item in ledger.transferred {
                if let to = item.object.to {
                    if try files.status(item.object.from) != nil {
                        try files.rename(item.object.from, to: to)
                    }
                } else {
                    try files.remove(item.object.from)
                }
                if item.held == nil {
                    try removeMarker(item.batch)
                    try removeUpload(item.batch)
                }
            }
        } catch {
            return transferFailed(.file(error))
        }
        roomWasMade()
        tell()
        count()
    }

    private func tell() {
        let group = ledger.transferred
        // Nothing is counted that is not a loss.
        ledger.transferred = group.filter { $0.loss != nil }
        for index in ledger.transferred.indices { ledger.transferred[index].isTold = true }
        report(.lost(countedTotals.connectors))
        report(.archived(ledger.archived))
        let untold = group.filter { !$0.isTold }
        let settled = untold.filter(\.isAsked).map(\.batch)
        if !settled.isEmpty { report(.settled(settled)) }
        let found = untold.filter { !$0.isAsked && $0.request == nil }.compactMap(\.loss?.loss)
        if !found.isEmpty { report(.lossesFound(found)) }
        let discarded = untold.filter { $0.request != nil }.compactMap(\.loss?.loss)
        if !discarded.isEmpty { report(.archiveDiscarded(discarded)) }
        reportReturned(untold.compactMap(\.held))
        for item in untold {
            guard let request = item.request else { continue }
            if let loss = item.loss?.loss {
                request.succeeded(events: loss.events, bytes: loss.bytes)
            } else if let held = item.held {
                request.succeeded(events: held.events, bytes: held.size)
            }
        }
    }

    /// The totals with what is on its way.
    private var countedTotals: Totals {
        var totals = ledger.totals ?? Totals()
        for item in ledger.transferred {
            if let (number, loss) = item.loss { totals.count(loss, number: number) }
        }
        return totals
    }

    private func count() {
        guard !ledger.transferred.isEmpty else { return finish() }
        // What a start adds meanwhile is not told yet.
        let next = countedTotals
        let storage = surroundings.storage
        surroundings.whenTold { [weak self] in
            storage.run { [weak self] in self?.write(next) }
        }
    }

    private func write(_ next: Totals) {
        beside({ files throws(FileError) in
            try StateFile.write(SpoolLayout.totals, next.text, in: ".", files)
        }) {
            $0.ledger.totals = next
            // A start that came between may have found more.
            $0.ledger.transferred.removeAll { ($0.loss?.number ?? 0) <= next.counted }
            $0.finish()
        }
    }

    private func finish() {
        ledger.isAtWork = false
        tidyTombstones()
        transferNext()
    }

    /// A start that came between may have told of it, and it may be delivered by now.
    private func reportReturned(_ batches: [HeldBatch]) {
        var returned: [HeldBatch] = []
        for var batch in batches {
            guard (try? files.status(SpoolLayout.envelope(batch.id))) != nil else { continue }
            batch.isObjectMissing = (try? files.status(SpoolLayout.object(batch.id))) == nil
            returned.append(batch)
        }
        if !returned.isEmpty { report(.sealed(returned)) }
    }

    // MARK: Failing

    private func transferFailed(_ failure: SpoolFailure) {
        if failure.isDiskFull { ballast.release(files) }
        ledger.isAtWork = false
        let untold = ledger.transferred.filter { !$0.isTold }
        let asked = untold.filter(\.isAsked).map(\.batch)
        for item in untold { item.request?.failed(failure) }
        for index in ledger.transferred.indices { ledger.transferred[index].request = nil }
        refuseWaiting(failure, asked)
    }

    private func refuseWaiting(_ failure: SpoolFailure, _ asked: [BatchID] = []) {
        var batches = asked
        while let next = ledger.waiting.popFirst() {
            switch next {
            case .lose(let settlement): batches.append(settlement.batch.id)
            case .discard(_, _, let request), .retry(_, _, let request): request.failed(failure)
            }
        }
        if !batches.isEmpty { report(.settleFailed(batches, failure)) }
    }
}
