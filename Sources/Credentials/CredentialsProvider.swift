public import Delivery
public import Model
public import Signing

/// Where the credentials of a connector come from.
///
/// It is asked before each request, so it keeps what it has; a provider whose credentials expire
/// fetches new ones in time, or when told that S3 refuses them.
public protocol CredentialsProvider: AnyObject {
    /// Gives the credentials of this moment to `completion`: at once or later, on the main actor,
    /// exactly once.
    func credentials(
        completion: @escaping (Result<Credentials, CredentialsUnavailable>) -> Void)

    /// Forgets what it has: S3 says that the session has expired, or the configuration was read again.
    func forget()

    /// Whether other keys take a restart of the process: they come from its environment, or from
    /// `$CREDENTIALS_DIRECTORY`, which systemd fills once.
    var isFixedUntilRestart: Bool { get }
}

/// There is nothing to sign with.
public nonisolated enum CredentialsUnavailable: Error, Sendable, Equatable {
    /// A person has to mend a file, a variable or the configuration; the text says which and how.
    case misconfigured(String)
    /// The issuer of credentials says no, with a code.
    case denied(Cause)
    /// The issuer of credentials does not answer, and a session that has expired is not used.
    case unreachable(String)

    public var disposition: Disposition {
        switch self {
        case .misconfigured(let text):
            .misconfigured(.local(text))
        case .denied(let cause):
            .credentials(.connector, cause)
        case .unreachable(let text):
            .backingOff(
                .expired, Cause(code: "NoCredentials", message: text), retryAfter: nil)
        }
    }
}

/// What a provider did by itself, for its owner to tell or to act upon.
public nonisolated enum CredentialsEvent: Sendable, Equatable {
    /// A file that the credentials come from has changed; the next request is signed with what it says.
    case changed
    /// A session was renewed ahead of its end.
    case refreshed(until: Timestamp)
    /// A session could not be renewed ahead of its end: it is used until then, and renewal tried again.
    case refreshFailed(CredentialsUnavailable, until: Timestamp)
}
