public import Digest

/// What a request is signed with.
public struct Credentials: Sendable, Equatable {
    /// Names the key; it is sent with every request and may be shown.
    public var accessKeyID: String
    public var secretAccessKey: Secret
    /// Sent along with keys that are valid for a time only.
    public var sessionToken: Secret?

    public init(accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret? = nil) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
    }
}

extension Credentials: CustomStringConvertible {
    public var description: String { "access key \(accessKeyID)" }
}
