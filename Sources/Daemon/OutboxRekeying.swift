import Spool

/// The way out of a conflict: another key for what cannot be stored under its own.
extension Outbox {
    enum RekeyFailure: Error {
        /// No such batch is in conflict, or none at all.
        case missing
        case spool(SpoolFailure)
    }

    /// Asks for other keys for what is in conflict: one batch, by its name, or all.
    func rekey(
        _ name: String?, by spool: Spool,
        done: @escaping @MainActor (Result<BatchSums, RekeyFailure>) -> Void
    ) {
        let taken = atFault.removeConflicts(name)
        guard !taken.isEmpty else { return done(.failure(.missing)) }
        for item in taken { rekeying[item.batch.id] = item }
        spool.rekey(taken.map(\.batch)) { [weak self] result in
            onLoop {
                guard let self else { return }
                let sums = self.rekeyed(result)
                // What was not asked for twice may have been told of again meanwhile.
                for item in taken where self.rekeying.removeValue(forKey: item.batch.id) != nil {
                    self.atFault.insert(item.batch, because: item.reason, isConflict: true)
                }
                done(result.failure.map { .failure(.spool($0)) } ?? .success(sums))
                self.pump()
            }
        }
    }

    private func rekeyed(_ result: Spool.Rekeyed) -> BatchSums {
        var sums = BatchSums()
        for (batch, old, new) in result.batches {
            sums.add(batch)
            reporter.rekeyed(batch, from: old, destination(eventType: batch.eventType, key: new))
            // Where the spool was read again meanwhile, it told of the batch as it is now.
            guard rekeying.removeValue(forKey: batch.id) != nil else { continue }
            enqueue(batch)
        }
        return sums
    }
}
