import Digest
import Files
import Model
import Support

@testable import Spool

/// What becomes of the batches of a `SpoolWorld`: they are delivered, given up or archived.
extension SpoolWorld {
    /// Sends what is held, some of it or all, and settles it. An answer may be lost: then it is sent again.
    func deliver() {
        for batch in held.values.sorted(by: { $0.id < $1.id }) {
            if Int.random(in: 0..<4, using: &random) == 0 { continue }
            if let outcome = asked[batch.id] {
                spool?.settle([Settlement(batch, outcome)])
                continue
            }
            if hasUploads, Bool.random(using: &random) { keepUpload(of: batch) }
            guard let envelope = try? Envelope.read(batch.id, files) else { continue }
            contents[batch.id]?.key = envelope.key
            if isTaken(envelope.key) {
                rekey(batch)
                continue
            }
            if let body = files.contents(envelope.objectPath) {
                put(envelope, body)
            } else if bucket[envelope.key].map({ digest($0) }) != envelope.digest.sha256 {
                ownFindings.append("\(envelope.key): the object is gone and was never delivered")
            }
            if Int.random(in: 0..<4, using: &random) > 0 {
                settle(batch, outcome(of: batch))
            } else {
                unanswered.insert(batch.id)
                nonisolated(unsafe) let world = self
                spool?.markUncertain([batch.id]) { failure in
                    if failure == nil { world.marked.insert(batch.id) }
                }
            }
        }
    }

    /// Exports may have to be deleted some day.
    private func outcome(of batch: HeldBatch) -> Settlement.Outcome {
        guard batch.isExport, Bool.random(using: &random) else { return .delivered }
        return .stored(removal: Timestamp(unixSeconds: 1_796_000_000))
    }

    /// Some of what was to be deleted is gone from the bucket.
    func forgetStored() {
        spool?.forget(stored.filter { _ in Bool.random(using: &random) })
    }

    private func isTaken(_ key: String) -> Bool {
        guard hasTwin, bucket[key] == nil else { return false }
        if !taken.contains(key), Int.random(in: 0..<3, using: &random) == 0 { taken.insert(key) }
        return taken.contains(key)
    }

    private func rekey(_ batch: HeldBatch) {
        nonisolated(unsafe) let world = self
        spool?.rekey([batch]) { result in
            for (batch, old, new) in result.batches {
                if old == new || !world.taken.contains(old) {
                    world.ownFindings.append("\(old) is free, and became \(new)")
                }
                if world.held[batch.id] != nil { world.held[batch.id] = batch }
            }
        }
    }

    private func settle(_ batch: HeldBatch, _ outcome: Settlement.Outcome) {
        let settlement = Settlement(batch, outcome)
        asked[batch.id] = outcome
        fates.asks(settlement)
        // Its marker goes with it, and a power loss may bring back the one without the other.
        marked.remove(batch.id)
        keptUploads[batch.id] = nil
        spool?.settle([settlement])
    }

    // MARK: Uploads in parts

    private func keepUpload(of batch: HeldBatch) {
        let count = (parts[batch.id] ?? 0) + 1
        parts[batch.id] = count
        var record = UploadRecord(
            bucket: "b", endpoint: "", key: batch.id.name, uploadID: "u", partSize: 5,
            hasChecksums: true)
        for number in 1...count {
            record.parts[number] = UploadRecord.Part(entityTag: "\"\(number)\"", crc32: 7)
        }
        let kept = record
        nonisolated(unsafe) let world = self
        spool?.keepUpload(kept, of: batch.id) { failure in
            // What is being settled may have gone, and is passed over then.
            if failure == nil, world.asked[batch.id] == nil { world.keptUploads[batch.id] = kept }
        }
    }

    /// What was kept durably is there while its batch is held, or a newer one.
    func checkUpload(of batch: HeldBatch) {
        guard let kept = keptUploads[batch.id] else { return }
        let bytes = files.contents(SpoolLayout.upload(batch.id)) ?? []
        let found = try? UploadRecord(CheckedText(bytes, kind: UploadRecord.kind))
        if !batch.hasUpload || (found?.parts.count ?? 0) < kept.parts.count {
            ownFindings.append("\(batch.id.name): parts that were kept are sent again")
        }
    }

    // MARK: Giving up

    func giveUp() {
        var settlements: [Settlement] = []
        for batch in held.values.sorted(by: { $0.id < $1.id }) where asked[batch.id] == nil {
            // What an earlier process sent, nobody knows.
            let perhaps =
                batch.isUncertain || batch.isFromEarlierProcess || unanswered.contains(batch.id)
            let outcome: Settlement.Outcome
            switch Int.random(in: 0..<6, using: &random) {
            case 0: outcome = .dropped(perhapsDelivered: perhaps)
            case 1: outcome = .discarded(perhapsDelivered: perhaps)
            case 2...3: outcome = .archived(perhapsDelivered: perhaps)
            default: continue
            }
            let settlement = Settlement(batch, outcome)
            asked[batch.id] = outcome
            keptUploads[batch.id] = nil
            fates.asks(settlement)
            settlements.append(settlement)
        }
        spool?.settle(settlements)
    }

    /// One batch of the archive, or all of a connector.
    private func chooseArchived() -> (ConnectorName, [BatchID], name: String?)? {
        guard let one = fates.archived.randomElement(using: &random) else { return nil }
        // All of it can be asked for only where it is known what that is.
        if Bool.random(using: &random) || fates.isArchiveOpen(one.connector) {
            return (one.connector, [one], one.name)
        }
        return (one.connector, fates.archived.filter { $0.connector == one.connector }, nil)
    }

    func retryArchived() {
        guard let (connector, batches, name) = chooseArchived() else { return }
        for batch in batches {
            fates.asksToReturn(batch)
            // It is held anew.
            asked[batch] = nil
        }
        spool?.retryArchived(connector, batch: name) { _ in }
    }

    func discardArchived() {
        guard let (connector, batches, name) = chooseArchived() else { return }
        for batch in batches { fates.asksToGo(batch) }
        nonisolated(unsafe) let world = self
        spool?.discardArchived(connector, batch: name) { result in
            if case .success = result { for batch in batches { world.fates.discarded(batch) } }
        }
    }

    private func put(_ envelope: Envelope, _ body: [UInt8]) {
        if digest(body) != envelope.digest.sha256 || UInt64(body.count) != envelope.size {
            ownFindings.append("\(envelope.key): the object is not what its envelope says")
        }
        if let stored = bucket[envelope.key], stored != body {
            ownFindings.append("\(envelope.key): two bodies for one key")
        }
        bucket[envelope.key] = body
    }

    private func digest(_ bytes: [UInt8]) -> SHA256Digest {
        bytes.withUnsafeBytes { SHA256.digest(of: $0) }
    }
}
