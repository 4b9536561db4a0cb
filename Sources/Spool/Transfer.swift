import Files
import Model

/// A batch that leaves what is held without having been delivered, or that comes back from the archive.
///
/// The envelope's name is the state, so the commit point is one rename:
///
/// ```
/// lose      sealed/c/<batch>.envelope        -> sealed/c/<batch>.<n>.dropped     or  expired/c/<batch>.<n>.archived
/// discard   expired/c/<batch>.<n>.archived   -> sealed/c/<batch>.<m>.unarchived
/// retry     expired/c/<batch>.<n>.archived   -> sealed/c/<batch>.envelope
/// ```
enum Transfer {
    case lose(Settlement)
    case discard(BatchID, LossName, ArchiveRequest)
    case retry(BatchID, LossName, ArchiveRequest)

    var batch: BatchID {
        switch self {
        case .lose(let settlement): settlement.batch.id
        case .discard(let id, _, _), .retry(let id, _, _): id
        }
    }
}

/// A transfer whose envelope has its new name, which may not be durable yet.
struct Transferred {
    var batch: BatchID
    /// What is to be counted.
    var loss: (number: UInt64, loss: Loss)?
    /// What comes back.
    var held: HeldBatch?
    /// The owner waits to hear that it is settled; nobody does of what an earlier process left.
    var isAsked = false
    /// Its owner knows; it waits only to be counted.
    var isTold = false
    /// Where the object goes once the envelope's name is durable; nil: it is removed.
    var object: (from: String, to: String?)
    var request: ArchiveRequest?

    /// The directories between which it goes.
    var directories: [String] {
        [SpoolLayout.sealed(batch.connector), SpoolLayout.expired(batch.connector)]
    }
}

/// What somebody asked to be done with archived batches, until all of it is done.
///
/// Owned by the storage lane.
final class ArchiveRequest {
    private var left: Int
    private var sums = ArchiveSums()
    private var failure: ArchiveFailure?
    private let done: @Sendable (Result<ArchiveSums, ArchiveFailure>) -> Void

    init(count: Int, done: @escaping @Sendable (Result<ArchiveSums, ArchiveFailure>) -> Void) {
        left = count
        self.done = done
    }

    func succeeded(events: Int, bytes: UInt64) {
        sums.add(events: events, bytes: bytes)
        end()
    }

    func failed(_ failure: SpoolFailure) {
        self.failure = self.failure ?? .spool(failure)
        end()
    }

    private func end() {
        left -= 1
        guard left == 0 else { return }
        done(failure.map { .failure($0) } ?? .success(sums))
    }
}

/// Why archived batches stay as they are.
public enum ArchiveFailure: Error, Sendable, Equatable {
    /// There is no such batch in the archive, or none at all.
    case missing
    /// Some of it may be done.
    case spool(SpoolFailure)
}
