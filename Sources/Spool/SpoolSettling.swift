import Files
import Model

/// Settling: what was delivered leaves the disk here, everything else goes by a transfer.
extension Spool {
    func settleNow(_ settlements: [Settlement]) {
        var settled: [BatchID] = []
        var failed: [BatchID] = []
        var failure: FileError?
        var transfers: [Transfer] = []
        for settlement in settlements {
            let batch = settlement.batch
            var removal: Timestamp?
            switch settlement.outcome {
            case .delivered: break
            case .stored(let time): removal = time
            case .dropped, .archived, .discarded:
                transfers.append(.lose(settlement))
                continue
            }
            // After a failure the others would fail as well.
            if failure != nil {
                failed.append(batch.id)
                continue
            }
            do throws(FileError) {
                try settle(batch, removal: removal)
                settled.append(batch.id)
                heldBytes.remove(batch.id.connector, batch.size)
            } catch {
                failure = error
                failed.append(batch.id)
            }
        }
        if let failure {
            if failure.isDiskFull { ballast.release(files) }
            report(.settleFailed(failed, .file(failure)))
        }
        if !settled.isEmpty {
            // Before it is known that nothing is held any more: the next look says anew whether files wait for room.
            if activity.isWithheld {
                activity.isWithheld = false
                report(.activity(activity))
            }
            report(.settled(settled))
        }
        roomWasMade()
        tidyTombstones()
        transfer(transfers)
    }

    /// The envelope becomes a tombstone while any event it covers may be read again; then the object goes.
    private func settle(_ batch: HeldBatch, removal: Timestamp?) throws(FileError) {
        let envelope = SpoolLayout.envelope(batch.id)
        if try files.status(envelope) != nil {
            if let removal {
                let stored = StoredExport(batch: batch.id, removal: removal)
                try files.rename(envelope, to: stored.path)
            } else if desk != nil, batch.through.file < retiredBelow {
                try files.remove(envelope)
            } else {
                try files.rename(envelope, to: SpoolLayout.tombstone(batch.id))
                tombstones.append(
                    Tombstone(path: SpoolLayout.tombstone(batch.id), through: batch.through))
            }
        }
        try files.remove(SpoolLayout.object(batch.id))
        try removeMarker(batch.id)
        try removeUpload(batch.id)
    }

    /// Says no longer that a batch is uncertain.
    func removeMarker(_ batch: BatchID) throws(FileError) {
        guard uncertain.contains(batch) else { return }
        try files.remove(SpoolLayout.uncertain(batch))
        uncertain.remove(batch)
    }

    // MARK: Tombstones

    func tidyTombstones() {
        guard desk != nil, !isStopping else { return }
        attempt { () throws(FileError) in
            try tidy()
            try removeTombstones()
        }
    }

    /// While nothing is claimed, one sync lets all tombstones go.
    func tidy() throws(FileError) {
        guard active.isEmpty, !tombstones.isEmpty else { return }
        try files.syncDirectory(SpoolLayout.active)
        retiredBelow = numbers.upcoming
        try removeTombstones()
    }

    /// A tombstone of a loss also stays until the loss is counted.
    func removeTombstones() throws(FileError) {
        let counted = ledger.totals?.counted ?? 0
        var left: [Tombstone] = []
        for tombstone in tombstones {
            if tombstone.through.file < retiredBelow, tombstone.number <= counted {
                try files.remove(tombstone.path)
            } else {
                left.append(tombstone)
            }
        }
        tombstones = left
    }
}
