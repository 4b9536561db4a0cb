public import Credentials
internal import Curl
public import Delivery

/// How an operation ended.
public nonisolated struct S3Reply: Sendable {
    public enum Outcome: Sendable, Equatable {
        case answer(Answer)
        /// Nothing was sent: there is nothing to sign with.
        case unsigned(CredentialsUnavailable)
    }

    public var attempt: Attempt
    public var outcome: Outcome
    /// What GetBucketLocation said.
    public var location: String?

    init(_ attempt: Attempt, _ outcome: Outcome) {
        self.attempt = attempt
        self.outcome = outcome
    }

    public var answer: Answer? {
        if case .answer(let answer) = outcome { answer } else { nil }
    }

    /// What it means.
    public var disposition: Disposition {
        switch outcome {
        case .answer(let answer): Disposition(of: attempt, answer: answer)
        case .unsigned(let reason): reason.disposition
        }
    }
}

/// An operation on its way.
public final class S3Call {
    private(set) var isCancelled = false
    private var transfer: Transfer?

    /// Gives the operation up; its reply, which still comes, is an aborted answer, unless the server's
    /// was there already.
    public func cancel() {
        isCancelled = true
        transfer?.cancel()
    }

    func runs(as transfer: Transfer) {
        self.transfer = transfer
    }
}
