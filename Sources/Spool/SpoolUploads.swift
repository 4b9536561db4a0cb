import Files
import Model

/// Keeps how far uploads in parts have come, so that an attempt after this process sends only what is missing.
///
/// A record leaves with its batch: nobody else removes it, and what a crash leaves behind a start does.
extension Spool {
    struct Uploads {
        typealias Done = @Sendable (SpoolFailure?) -> Void

        /// The newest of each batch that is not yet being written.
        var waiting: [BatchID: (record: UploadRecord, done: [Done])] = [:]
        var order = Fifo<BatchID>()
        /// Being written, and whether it is not wanted any more; nil: nothing is.
        var writing: BatchID?
        var isUnwanted = false
        /// Batches with a record on the disk, as far as this lane knows.
        var kept: Set<BatchID> = []
    }

    /// Keeps the record of a held batch durably, in place of the one before. Of several that wait only the newest is
    /// written; those of batches that are no longer held are passed over.
    ///
    /// `done` is called on a queue of the spool's, once this record or a newer one is on the disk, or could not be put there.
    public func keepUpload(
        _ record: UploadRecord, of batch: BatchID,
        done: @escaping @Sendable (SpoolFailure?) -> Void
    ) {
        surroundings.storage.run { self.whenOpened { self.keep(record, batch, done) } }
    }

    /// Removes a record: its upload has ended.
    public func forgetUpload(_ batch: BatchID) {
        surroundings.storage.run {
            self.whenOpened {
                // One that stays says only of an upload that it is no more, which the store says as well.
                try? self.removeUpload(batch)
            }
        }
    }

    private func keep(_ record: UploadRecord, _ batch: BatchID, _ done: @escaping Uploads.Done) {
        guard isHeld(batch) else { return done(nil) }
        if uploads.writing == batch { uploads.isUnwanted = false }
        if let earlier = uploads.waiting[batch] {
            uploads.waiting[batch] = (record, earlier.done + [done])
        } else {
            uploads.waiting[batch] = (record, [done])
            uploads.order.append(contentsOf: [batch])
        }
        writeUpload()
    }

    /// Unknown counts as held: a record too many does no harm.
    private func isHeld(_ batch: BatchID) -> Bool {
        do throws(FileError) {
            return try files.status(SpoolLayout.envelope(batch)) != nil
        } catch {
            return true
        }
    }

    private func writeUpload() {
        guard uploads.writing == nil, let batch = uploads.order.popFirst() else { return }
        guard let (record, done) = uploads.waiting.removeValue(forKey: batch) else {
            return writeUpload()
        }
        uploads.writing = batch
        uploads.isUnwanted = false
        let (files, storage) = (files, surroundings.storage)
        surroundings.syncing.run { [weak self] in
            var failure: SpoolFailure?
            do throws(FileError) {
                try StateFile.write(
                    SpoolLayout.upload(batch), record.text,
                    in: SpoolLayout.sealed(batch.connector), files)
            } catch { failure = .file(error) }
            for done in done { done(failure) }
            storage.run { [weak self] in self?.written(batch) }
        }
    }

    /// The batch may have left while its record was written.
    private func written(_ batch: BatchID) {
        uploads.writing = nil
        uploads.kept.insert(batch)
        if uploads.isUnwanted || !isHeld(batch) { try? removeUpload(batch) }
        writeUpload()
    }

    /// To be called when a batch leaves.
    func removeUpload(_ batch: BatchID) throws(FileError) {
        if let (_, done) = uploads.waiting.removeValue(forKey: batch) {
            for done in done { done(nil) }
        }
        if uploads.writing == batch { uploads.isUnwanted = true }
        guard uploads.kept.contains(batch) else { return }
        try files.remove(SpoolLayout.upload(batch))
        uploads.kept.remove(batch)
    }
}
