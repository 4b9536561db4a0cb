import Files
public import Model

/// What is to be done with things in quarantine.
public enum QuarantineVerb: Sendable, Equatable {
    /// They are read again; with a connector, only what that one refused.
    case retry(ConnectorName?)
    case discard
}

/// What came of it.
public struct QuarantineOutcome: Sendable, Equatable {
    public struct Left: Sendable, Equatable {
        public var id: QuarantineID
        public var reason: String
    }

    public var items = 0
    /// Those whose number is known.
    public var events = 0
    public var bytes: UInt64 = 0
    /// Why some stay as they are: the first of them, and how many.
    public var left: [Left] = []
    public var leftCount = 0
}

/// Why things in quarantine stay as they are.
public enum QuarantineFailure: Error, Sendable, Equatable {
    /// There is no such thing.
    case missing
    /// Intake does not run, or waits.
    case waits(String)
    /// Some of it may be done.
    case spool(SpoolFailure)
}

/// What somebody asked to be done with things in quarantine, until all of it is done.
///
/// Sendable: it goes along with steps on other lanes, and is touched on the storage lane only.
final class QuarantineRequest: @unchecked Sendable {
    let verb: QuarantineVerb
    /// nil: all that lie there now.
    let id: QuarantineID?
    /// What is refused again meanwhile has a higher number, and is for another time.
    let through: UInt64
    private let done: @Sendable (Result<QuarantineOutcome, QuarantineFailure>) -> Void

    /// Up to which number it was listed.
    var listed: UInt64?
    var isListed = false
    /// Listed and looked at, and not yet done.
    var items: [QuarantineItem] = []
    /// Open batches were sealed, so that the event files of the items may have left `active/`.
    var hasFlushed = false
    var outcome = QuarantineOutcome()

    init(
        _ verb: QuarantineVerb, _ id: QuarantineID?, through: UInt64,
        done: @escaping @Sendable (Result<QuarantineOutcome, QuarantineFailure>) -> Void
    ) {
        self.verb = verb
        self.id = id
        self.through = through
        self.done = done
    }

    /// The connector whose part is meant.
    var only: ConnectorName? {
        if case .retry(let connector) = verb { connector } else { nil }
    }

    func leave(_ id: QuarantineID, _ reason: String) {
        outcome.leftCount += 1
        if outcome.left.count < Limits.itemsLeftTold {
            outcome.left.append(.init(id: id, reason: reason))
        }
    }

    func end() {
        let found = outcome.items + outcome.leftCount
        done(id != nil && found == 0 ? .failure(.missing) : .success(outcome))
    }

    func fail(_ failure: QuarantineFailure) {
        done(.failure(failure))
    }
}
