/// Where the credentials of a connector come from: a base, and perhaps a role on top of it.
public struct CredentialSettings: Sendable, Equatable {
    public enum Base: Sendable, Equatable {
        /// A key ID, and files with the secret and (rarely) a session token.
        case keys(accessKeyID: String, secretFile: String, sessionTokenFile: String?)
        /// What the SDKs look through: environment, web identity, shared files, container, instance.
        /// With a profile, that one of the shared files and nothing else.
        case chain(profile: String?)
    }

    /// A role that the base assumes.
    public struct Role: Sendable, Equatable {
        public var arn: String
        public var externalID: String?
        /// Shows in CloudTrail, and in the ARN of the session.
        public var sessionName: String
        public var duration = Duration.seconds(3600)

        public init(arn: String, externalID: String? = nil, sessionName: String) {
            self.arn = arn
            self.externalID = externalID
            self.sessionName = sessionName
        }

        /// The session of a connector that names none; STS allows 64 characters.
        public static func sessionName(for connector: ConnectorName) -> String {
            String("sluice-\(connector)".prefix(64))
        }
    }

    public var base: Base
    public var role: Role?
    /// `http(s)://host[:port]`; nil: STS of the region.
    public var stsEndpoint: String?
    /// How long a role that S3 does not know yet is retried: a new one takes a while to spread.
    public var grace = Duration.seconds(120)

    public init(base: Base = .chain(profile: nil), role: Role? = nil) {
        self.base = base
        self.role = role
    }
}
