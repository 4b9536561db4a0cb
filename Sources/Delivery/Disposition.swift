public import Model

/// What became of one attempt, and whom it concerns.
///
/// Total: every answer has exactly one. `Disposition(of:answer:)` decides which.
public enum Disposition: Sendable, Equatable {
    /// The object is stored. The owner also reports this for an equal object found after `existing`.
    case delivered
    /// What was asked is in the answer: a HEAD, a GET, a region, a listing.
    case answered
    /// 412: an object lies under the key; compare it.
    case existing
    /// 404 for an object that was looked for: PUT again.
    case missing
    /// Rejected for the credentials: the only case that can ever lead to a drop.
    case credentials(CredentialsScope, Cause)
    /// ExpiredToken: fetch new credentials; what comes of that decides.
    case refreshCredentials(Cause)
    /// Somebody has to mend the bucket or the configuration; nothing is lost meanwhile.
    case misconfigured(Misconfiguration)
    /// This batch alone is at fault: it waits for a person, the next one is taken.
    case batchHeld(BatchFault)
    /// Our clock is off: sign with the server's time, at once.
    case clock(server: Timestamp, Cause)
    /// The bucket is elsewhere: sign for this region, at once.
    case region(String, Cause)
    /// Go on without this feature, at once.
    case unsupported(OptionalFeature, Cause)
    /// Somebody writes the same key this moment: the batch is tried again after a while.
    case conflict(Cause)
    /// The upload in parts is no more, or its parts are not what S3 has: see whether the object is there, else send all
    /// parts anew.
    case startOver(Cause)
    /// Nobody's fault here: wait and try again.
    case backingOff(BackoffReason, Cause, retryAfter: Duration?)
    /// An optional question was refused. Worth a hint, no more.
    case advice(Cause)
    /// Ended by ourselves; it says nothing.
    case aborted
}

/// Whom a rejection for credentials concerns.
public enum CredentialsScope: Sendable, Hashable {
    case connector
    /// The event type of the object that was refused: a policy may allow prefixes one by one.
    case eventType
}

public enum BackoffReason: Sendable, Hashable, CaseIterable {
    /// No answer, or one that did not come from S3 (a proxy, a portal).
    case unreachable
    case throttled
    case serverError
    /// The session has expired and no new one is there yet.
    case expired
}

/// What somebody has to mend.
public enum Misconfiguration: Sendable, Hashable {
    /// S3 refuses, for a reason that lies in the bucket or in what the connector asks for.
    case refused(Cause)
    /// Something of our own, a file of credentials say, with what is wrong and what to do.
    case local(String)
}

/// Why a batch is held.
public enum BatchFault: Sendable, Equatable {
    /// S3 refuses this object.
    case refused(Cause)
    /// Another object lies under its key: two daemons share one identity.
    case differs
    /// Another object lies under the key of a file that goes as it is, which must not be overwritten.
    case taken(ExistingObject)
    /// An object lies under its key, and what it is may not be read.
    case incomparable(Cause)
    /// The batch on disk is not what was sealed.
    case damaged(String)

    /// The body of another object was seen under its key, so it may have another key.
    public var isConflict: Bool {
        switch self {
        case .differs, .taken: true
        case .refused, .incomparable, .damaged: false
        }
    }
}

/// What is known of an object that lies where another one was to be stored.
public struct ExistingObject: Sendable, Hashable {
    /// In bytes.
    public var size: UInt64?
    public var modified: Timestamp?

    public init(size: UInt64?, modified: Timestamp?) {
        self.size = size
        self.modified = modified
    }
}

/// What the other side said, for people.
public struct Cause: Sendable, Hashable {
    /// S3's `<Code>`; where there is none, `HTTP 403` or libcurl's number.
    public var code: String
    public var message: String?
    public var requestID: String?
    /// The clock of whoever said so, from the answer's `Date`.
    public var date: Timestamp?

    /// Who said so, where it is not S3: an issuer of credentials.
    public var issuer: String?

    public init(
        code: String, message: String? = nil, requestID: String? = nil, date: Timestamp? = nil,
        issuer: String? = nil
    ) {
        self.code = code
        self.message = message
        self.requestID = requestID
        self.date = date
        self.issuer = issuer
    }
}

extension Disposition {
    public var cause: Cause? {
        switch self {
        case .credentials(_, let cause), .refreshCredentials(let cause),
            .misconfigured(.refused(let cause)),
            .batchHeld(.refused(let cause)), .batchHeld(.incomparable(let cause)),
            .clock(_, let cause), .region(_, let cause), .unsupported(_, let cause),
            .conflict(let cause), .startOver(let cause), .backingOff(_, let cause, _),
            .advice(let cause):
            cause
        case .delivered, .answered, .existing, .missing, .misconfigured, .batchHeld, .aborted:
            nil
        }
    }

    /// What it means where event types are none: a denial concerns the connector.
    public var ofConnector: Disposition {
        if case .credentials(.eventType, let cause) = self {
            return .credentials(.connector, cause)
        }
        return self
    }

    /// What it means when the correction that it asks for has already been made for this batch.
    ///
    /// Keeps two wrong answers from being corrected for ever, one after the other.
    public var afterCorrection: Disposition {
        switch self {
        case .clock(_, let cause), .region(_, let cause), .unsupported(_, let cause):
            .misconfigured(.refused(cause))
        case .startOver(let cause):
            .batchHeld(.refused(cause))
        case .refreshCredentials(let cause):
            .backingOff(.expired, cause, retryAfter: nil)
        default:
            self
        }
    }
}
