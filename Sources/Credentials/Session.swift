internal import Curl
internal import Model
internal import Signing

/// Credentials as a source gave them.
nonisolated struct Session {
    var credentials: Credentials
    /// From the moment of the answer; nil: they do not expire.
    var lifetime: Duration?
    /// What the profile says that they come from, if one does.
    var region: String?
    /// Whether the source says the same until the process is restarted.
    var isFixed = false
}

typealias SessionResult = Result<Session, CredentialsUnavailable>

/// Where credentials come from. It keeps none: each fetch asks anew.
protocol CredentialSource: AnyObject {
    /// Gives a session to `completion`: at once or later, at most once; a fetch that was given up may
    /// never answer.
    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void)
}

/// One fetch on its way, over all of its steps.
final class Fetch {
    private(set) var isGivenUp = false
    private var transfer: Transfer?

    /// Notes the transfer under way, so that it ends with the fetch.
    func runs(_ transfer: Transfer) {
        self.transfer = transfer
        if isGivenUp { transfer.cancel() }
    }

    func giveUp() {
        isGivenUp = true
        transfer?.cancel()
    }
}
