import Batching
import Files
import Model

/// New keys for batches whose keys somebody else has used.
///
/// A batch has one key for ever, for an attempt under it may have stored the object. It may have another only where
/// another body lies under the first: that one was there before, so ours is not. Whoever asks has seen that body.
extension Spool {
    public struct Rekeyed: Sendable {
        /// Held batches, as their envelopes say now, with the keys that they have had and have got.
        public var batches: [(batch: HeldBatch, old: String, new: String)] = []
        /// Why the others have not; they are as they were, or gone.
        public var failure: SpoolFailure?
    }

    /// Gives held batches keys in the zone and the partition of today, at offsets that were never used. Keys of files that
    /// went as they are get a number instead.
    ///
    /// Each is durable by itself. `done` is called on the storage lane.
    public func rekey(_ batches: [HeldBatch], done: @escaping @Sendable (Rekeyed) -> Void) {
        surroundings.storage.run { self.whenOpened { done(self.rekeyNow(batches)) } }
    }

    private func rekeyNow(_ batches: [HeldBatch]) -> Rekeyed {
        var result = Rekeyed()
        for batch in batches {
            do throws(SpoolFailure) {
                result.batches.append(try rekey(batch))
            } catch {
                result.failure = error
                // A name whose sync failed may be the old one again after a power cut: a start makes it durable.
                if case .file = error { fail(error) }
                break
            }
        }
        return result
    }

    private func rekey(
        _ batch: HeldBatch
    ) throws(SpoolFailure) -> (batch: HeldBatch, old: String, new: String) {
        let connector = batch.id.connector
        var envelope = try Envelope.read(batch.id, files)
        let old = envelope.key
        guard try onFile({ () throws(FileError) in try files.status(envelope.objectPath) }) != nil
        else { throw .damaged(path: envelope.objectPath, reason: "it is gone") }
        if envelope.export != nil { try rename(&envelope) } else { try move(&envelope) }
        try onFile { () throws(FileError) in
            try files.replace(
                SpoolLayout.envelope(batch.id), with: envelope.text.bytes,
                in: SpoolLayout.sealed(connector))
        }
        var next = held(envelope)
        next.isFromEarlierProcess = true
        next.isUncertain = uncertain.contains(batch.id)
        return (next, old, envelope.key)
    }

    /// The key of a file gets a number.
    private func rename(_ envelope: inout Envelope) throws(SpoolFailure) {
        guard let export = envelope.export,
            let key = RenamedKey.next(after: envelope.key, renamed: export.renamed)
        else {
            throw .damaged(
                path: SpoolLayout.envelope(envelope.batch), reason: "its key cannot be longer")
        }
        envelope.key = key
        envelope.export?.renamed += 1
    }

    /// The key of events gets an offset that was never used.
    private func move(_ envelope: inout Envelope) throws(SpoolFailure) {
        let (connector, type, events) = (
            envelope.batch.connector, envelope.eventType, envelope.events
        )
        try onFile { () throws(FileError) in
            try readOffsets(connector)
            try offsets[connector]?.reserve(
                [type: events], microseconds: surroundings.microseconds(), files)
        }
        guard let offset = offsets[connector]?.take(type, events),
            let key = ObjectKey.moved(
                envelope.key, zone: wantedRouting.zone, partition: wantedRouting.partition,
                offset: offset)
        else {
            throw .damaged(
                path: SpoolLayout.envelope(envelope.batch), reason: "its key is not in the layout")
        }
        envelope.key = key
        envelope.offset = offset
    }
}
