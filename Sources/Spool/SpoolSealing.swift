import Avro
import Batching
import Digest
import Files
import Model

/// Sealing batches in groups.
extension Spool {
    func batchOpened(_ batch: Batch) {
        unsealed[batch.number] = batch.stream
        reportActivity()
    }

    func batchWritten(_ batch: Batch) {
        written.append(batch)
        scheduleSeal()
    }

    /// Ends open batches and calls `done` once they are sealed.
    func flush(_ cut: Cut, done: @escaping @Sendable (Bool) -> Void) {
        guard let desk, !isStopping else { return done(false) }
        flushCount += 1
        let number = flushCount
        flushes[number] = (cut, nil, done)
        desk.cut(cut) { [surroundings] last in
            surroundings.storage.run { [weak self] in
                guard let self, self.flushes[number] != nil else { return }
                self.flushes[number]?.through = last
                self.finishFlushes()
            }
        }
    }

    private func finishFlushes() {
        for (number, flush) in flushes {
            guard let through = flush.through,
                !unsealed.contains(where: { $0.key <= through && flush.cut.concerns($0.value) })
            else { continue }
            flushes[number] = nil
            flush.done(true)
        }
    }

    /// Batches that are complete while a group is being sealed go with the next group.
    func scheduleSeal() {
        guard !isSealScheduled else { return }
        isSealScheduled = true
        surroundings.storage.run {
            self.isSealScheduled = false
            self.sealNow()
        }
    }

    /// What is sealed together: with two syncs for all of it, however many batches and files it has.
    struct SealGroup: Sendable {
        var batches: [Batch]
        /// Files whose rejects are sealed.
        var refused: [EventFile]
        /// Files that become objects as they are.
        var exports: [SealedExport]
        var envelopes: [Envelope]
        /// Every event file with a smaller number had left `active/` before the first sync.
        var gone: UInt64
    }

    /// Prepares a group; its syncs run beside this lane, so that a slow disk does not keep files from being claimed.
    private func sealNow() {
        guard desk != nil, !isStopping, !isSealing else { return }
        let batches = takeGroup()
        let refused = rejected
        rejected = []
        let exports = takeExports(most: Limits.batchesPerGroup - batches.count)
        guard !batches.isEmpty || !refused.isEmpty || !exports.isEmpty else { return }
        isSealing = true
        attempt { () throws(FileError) in
            let envelopes = try makeEnvelopes(batches) + exports.map(\.envelope)
            for envelope in envelopes {
                try files.write(SpoolLayout.envelope(envelope.batch) + ".new", envelope.text.bytes)
            }
            let group = SealGroup(
                batches: batches, refused: refused, exports: exports, envelopes: envelopes,
                gone: active.keys.min() ?? numbers.upcoming)
            // Claims, objects, envelopes and rejects are durable before any of their final names.
            sync({ files throws(FileError) in try files.syncAll() }) { $0.name(group) }
        }
    }

    /// Runs a sync on its own lane and goes on here, unless intake has stopped meanwhile.
    private func sync(
        _ body: @escaping @Sendable (any FileSystem) throws(FileError) -> Void,
        then proceed: @escaping @Sendable (Spool) -> Void
    ) {
        let (files, storage, mine) = (files, surroundings.storage, generation)
        surroundings.syncing.run { [weak self] in
            let result = Result { () throws(FileError) in try body(files) }
            storage.run { [weak self] in
                guard let self, self.generation == mine, !self.isStopping else { return }
                switch result {
                case .success: proceed(self)
                case .failure(let error): self.fail(.file(error))
                }
            }
        }
    }

    private func name(_ group: SealGroup) {
        retiredBelow = max(retiredBelow, group.gone)
        attempt { () throws(FileError) in
            var directories: Set<String> = []
            for envelope in group.envelopes {
                let path = SpoolLayout.envelope(envelope.batch)
                try files.rename(path + ".new", to: path)
                directories.insert(SpoolLayout.sealed(envelope.batch.connector))
            }
            for file in group.refused {
                let number = file.name.number
                try files.rename(Rejects.temporaryPath(number), to: Rejects.path(number))
                directories.insert(SpoolLayout.quarantine)
            }
            // The names are durable before anything is sent or any event file goes.
            let names = directories.sorted()
            sync({ files throws(FileError) in
                for directory in names { try files.syncDirectory(directory) }
            }) { $0.finish(group) }
        }
    }

    private func finish(_ group: SealGroup) {
        isSealing = false
        for batch in group.batches { unsealed[batch.number] = nil }
        for envelope in group.envelopes {
            heldBytes.add(envelope.batch.connector, envelope.size)
        }
        moveToEnvelopes(group.exports)
        // After a failure they are read from the disk.
        guard !isStopping else { return }
        if !group.envelopes.isEmpty { report(.sealed(group.envelopes.map(held))) }
        for file in group.refused { reportRejects(file) }
        release(group.batches.flatMap(\.files) + group.refused)
        attempt { () throws(FileError) in
            try removeTombstones()
            try lookForRoom()
        }
        finishFlushes()
        if !written.isEmpty || !rejected.isEmpty || !hashed.isEmpty { scheduleSeal() }
    }

    /// Complete batches whose stream has no earlier one unsealed: at most one of a stream.
    ///
    /// Of names that become durable together, a power loss may keep the later and lose the earlier one; for two
    /// batches of one stream, that would say that the earlier one's events are sealed. The stream counts, not what the
    /// router remembers of it: a clock that goes back over an hour brings a stream back that was let go.
    private func takeGroup() -> [Batch] {
        var group: [Batch] = []
        var later: [Batch] = []
        var first: [StreamID: UInt64] = [:]
        for (number, stream) in unsealed { first[stream] = min(first[stream] ?? number, number) }
        for batch in written.sorted(by: { $0.number < $1.number }) {
            if first[batch.stream] == batch.number, group.count < Limits.batchesPerGroup {
                group.append(batch)
            } else {
                later.append(batch)
            }
        }
        written = later
        return group
    }

    private func makeEnvelopes(_ group: [Batch]) throws(FileError) -> [Envelope] {
        var counts: [ConnectorName: [String: Int]] = [:]
        for batch in group {
            counts[batch.id.connector, default: [:]][batch.stream.eventType, default: 0] +=
                batch.events
        }
        for (connector, counts) in counts {
            try readOffsets(connector)
            try offsets[connector]?.reserve(
                counts, microseconds: surroundings.microseconds(), files)
        }
        try noteSchemas(of: group)
        return group.compactMap(envelope)
    }

    /// What its object is written with; nil where its format has no schemas.
    func schema(of batch: Batch) -> AvroSchema? {
        routing.connectors.first { $0.name == batch.id.connector }
            .flatMap { routing.schema($0, eventType: batch.stream.eventType) }
    }

    func readOffsets(_ connector: ConnectorName) throws(FileError) {
        guard offsets[connector] == nil else { return }
        do throws(SpoolFailure) {
            offsets[connector] = try Offsets(
                connector, microseconds: surroundings.microseconds(), files)
        } catch {
            switch error {
            case .file(let error):
                throw error
            case .damaged, .newer, .elsewhere, .copied, .foreign:
                // Its numbers are lost. Those that begin at this time were never used.
                report(.damaged(path: SpoolLayout.offsets(connector), reason: error.description))
                offsets[connector] = Offsets(
                    startingAgain: connector, microseconds: surroundings.microseconds())
            }
        }
    }

    private func envelope(_ batch: Batch) -> Envelope? {
        guard let sha256 = batch.sha256,
            let connector = routing.connectors.first(where: { $0.name == batch.id.connector }),
            let offset = offsets[batch.id.connector]?.take(batch.stream.eventType, batch.events)
        else {
            preconditionFailure("batch \(batch.id.name) is sealed before it is complete")
        }
        return Envelope(
            batch: batch.id, eventType: batch.stream.eventType, hour: batch.stream.hour,
            key: routing.key(
                connector, eventType: batch.stream.eventType, hour: batch.stream.hour,
                offset: offset),
            offset: offset, events: batch.events, through: batch.through, size: batch.size,
            digest: ContentDigest(whole: sha256), crc32: batch.crc32,
            contentType: connector.format.contentType,
            schemaID: schema(of: batch)?.id ?? Routing.noSchema, accepted: batch.accepted,
            acceptedClock: batch.acceptedClock)
    }

    func held(_ envelope: Envelope) -> HeldBatch {
        HeldBatch(
            EnvelopeSummary(envelope),
            origins.origin(envelope.batch.connector, envelope.eventType), clock: clock)
    }

    private func reportRejects(_ file: EventFile) {
        guard let end = active[file.name.number]?.end else { return }
        guard toldRejects.insert(file.name.number).inserted else { return }
        // Those that are gone are not read again.
        if toldRejects.count > 2 * Limits.heldFiles {
            toldRejects.formIntersection(active.keys)
        }
        report(
            .eventsRefused(
                EventsRefusal(
                    file: file.name.shown, refused: end.refused, accepted: end.events,
                    firstLine: end.firstRefusedLine ?? 0, firstReason: end.firstRefusal ?? "",
                    path: Rejects.path(file.name.number))))
    }
}
