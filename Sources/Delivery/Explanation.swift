internal import Model

/// Where an attempt went, for the sentences that people read.
public struct Destination: Sendable, Equatable {
    public var connector: String
    public var bucket: String
    /// The host that was asked.
    public var host: String
    /// The event type and the key of the object, where it was about one.
    public var eventType: String?
    public var key: String?
    /// What waits to be delivered there: events, or files as they are.
    public var noun: String

    public init(
        connector: String, bucket: String, host: String, eventType: String? = nil,
        key: String? = nil, noun: String = "event"
    ) {
        self.connector = connector
        self.bucket = bucket
        self.host = host
        self.eventType = eventType
        self.key = key
        self.noun = noun
    }
}

extension Disposition {
    /// One sentence for the journal: who, what happened, and what to do.
    public func explanation(of operation: Operation, at place: Destination) -> String {
        "connector \(place.connector): " + clause(operation, place)
    }

    private func clause(_ operation: Operation, _ place: Destination) -> String {
        let object = place.key.map { "s3://\(place.bucket)/\($0)" } ?? "the object"
        let bucket = "bucket \"\(place.bucket)\""
        switch self {
        case .delivered:
            return "\(object) is delivered"
        case .answered:
            return "\(bucket) answers \(operation.rawValue)"
        case .existing:
            return "\(object) exists already; it is compared with what was to be stored"
        case .missing:
            return "\(object) is not there; it is sent again"
        case .credentials(.connector, let cause)
        where cause.code != "AccessDenied" || cause.issuer != nil:
            return "\(cause.issuer ?? "S3") rejects the credentials \(cause.reference); "
                + cause.credentialAdvice
        case .credentials(_, let cause):
            let events = place.eventType.map { " for events of type \($0)" } ?? ""
            return
                "\(bucket) denies \(operation.rawValue)\(events) \(cause.reference); allow it in "
                + "the policy of the user or role, in the bucket's policy and, where the bucket "
                + "encrypts with KMS, in the key's policy"
        case .refreshCredentials(let cause):
            return "the session has expired \(cause.reference); new credentials are being fetched"
        case .misconfigured(.refused(let cause)):
            return "\(cause.misconfiguration(bucket, operation, place)); "
                + "\(place.noun)s wait until this is mended"
        case .misconfigured(.local(let what)):
            return "\(what); \(place.noun)s wait until this is mended"
        case .batchHeld(let fault):
            return fault.clause(object, place.connector)
        case .clock(let server, let cause):
            return "this machine's clock is wrong \(cause.reference): S3 says it is "
                + "\(server.extended); requests are signed with that time, but set the clock"
        case .region(let region, let cause):
            return "\(bucket) is in \(region) \(cause.reference); "
                + "set region = \"\(region)\" to spare the detour"
        case .unsupported(.conditionalWrites, let cause):
            return "\(place.host) does not know If-None-Match \(cause.reference); objects are sent "
                + "without it; set conditional_writes = false to spare the question"
        case .unsupported(.checksum, let cause):
            return "\(place.host) does not know x-amz-checksum-crc32 \(cause.reference); objects "
                + "are sent without it; set checksum = \"when_required\" to spare the question"
        case .unsupported(.conditionalDeletes, let cause):
            return "\(place.host) does not know If-Match with DeleteObject \(cause.reference); "
                + "objects are compared before they are removed"
        case .startOver(let cause):
            return "\(place.host) has not kept the parts of \(object) \(cause.reference); "
                + "all of them are sent again"
        case .conflict(let cause):
            return "another upload of \(object) is under way \(cause.reference); it is tried again"
        case .backingOff(let reason, let cause, _):
            return reason.clause(cause, place) + "; it is tried again by itself"
        case .advice(let cause):
            return "\(bucket) does not answer \(operation.rawValue) \(cause.reference); "
                + "deliveries can do without it"
        case .aborted:
            return "an attempt was given up by this program; it is made again"
        }
    }
}

extension BatchFault {
    fileprivate func clause(_ object: String, _ connector: String) -> String {
        switch self {
        case .refused(let cause):
            "S3 refuses \(object)\(cause.said) \(cause.reference); "
                + "this batch is held, the others go on"
        case .differs:
            "another object lies at \(object): two daemons share one identity; this batch is held; "
                + "give each daemon a partition of its own in sluice.toml, then run "
                + "\"sluicectl rekey \(connector)\""
        case .taken(let existing):
            "\(existing.clause) lies at \(object) already, and files are not overwritten; this one is "
                + "held, the others go on; \"sluicectl rekey \(connector)\" gives it another key, "
                + "\"sluicectl discard \(connector)\" gives it up; on_conflict decides for the next ones"
        case .incomparable(let cause):
            "an object lies at \(object) and may not be read \(cause.reference); this batch is "
                + "held; allow s3:GetObject so that the two can be compared"
        case .damaged(let what):
            "the batch for \(object) is damaged on disk: \(what); it is held, the others go on; "
                + "check the disk"
        }
    }
}

extension ExistingObject {
    public var clause: String {
        var clause = "another object"
        if let size { clause += " (\(grouped(size)) bytes" }
        if let modified {
            clause += size == nil ? " (" : ", "
            clause += "last modified \(modified.extended)"
        }
        return size == nil && modified == nil ? clause : clause + ")"
    }
}

extension BackoffReason {
    fileprivate func clause(_ cause: Cause, _ place: Destination) -> String {
        switch self {
        case .unreachable where cause.code.hasPrefix("curl"):
            switch cause.transportKind {
            case .tls:
                "\(place.host) offers no TLS that can be trusted\(cause.said) \(cause.reference); "
                    + "check endpoint, certificate and ca_file"
            case .notHTTP:
                "\(place.host) answers, but not as S3 does\(cause.said) \(cause.reference); "
                    + "check endpoint, proxy and network"
            default:
                "\(place.host) cannot be reached\(cause.said) \(cause.reference); "
                    + "check network, DNS and proxy"
            }
        case .unreachable where cause.code == "RequestTimeout":
            "\(place.host) waited too long for the request \(cause.reference); check the network"
        case .unreachable:
            "\(place.host) cannot be reached: what answers is not S3 \(cause.reference); "
                + "check endpoint, proxy and network"
        case .throttled:
            "\(place.host) asks for fewer requests \(cause.reference)"
        case .serverError:
            "\(place.host) has an error of its own\(cause.said) \(cause.reference)"
        case .expired where cause.code == "NoCredentials":
            "there are no credentials to sign with now\(cause.said); check what issues them, and "
                + "the network to it"
        case .expired:
            "the session has expired \(cause.reference); the connector needs a new session token"
        }
    }
}

extension Cause {
    /// `(AccessDenied, request 4442587FB7D0A2F9)`
    fileprivate var reference: String {
        requestID.map { "(\(code), request \($0))" } ?? "(\(code))"
    }

    /// For a cause without an answer: what libcurl's number means.
    fileprivate var transportKind: TransportFailure.Kind? {
        guard code.hasPrefix("curl "), let number = Int32(code.dropFirst(5)) else { return nil }
        return TransportFailure(curlCode: number, text: "").kind
    }

    /// The other side's own words, as a part of a sentence. They are not ours, so line breaks go.
    fileprivate var said: String {
        guard let message, !message.isEmpty else { return "" }
        let words = message.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
        return ": \(words.hasSuffix(".") ? String(words.dropLast()) : words)"
    }

    fileprivate var credentialAdvice: String {
        switch code {
        case "AccessDenied" where issuer == "STS":
            "allow sts:AssumeRole to who assumes the role, and check the role's trust policy and the "
                + "external ID"
        case "InvalidAccessKeyId", "InvalidClientTokenId":
            "the access key ID does not exist or was switched off: set one that exists"
        case "SignatureDoesNotMatch", "InvalidSignature":
            "the secret access key does not belong to the access key ID: set the one that does"
        case "InvalidToken", "TokenRefreshRequired":
            "the session token is not valid: set a new one, or none with permanent keys"
        case "AccountProblem", "AllAccessDisabled", "NotSignedUp", "InvalidPayer":
            "the AWS account needs attention: see its billing and support pages"
        default:
            "check the connector's credentials"
        }
    }

    fileprivate func misconfiguration(
        _ bucket: String, _ operation: Operation, _ place: Destination
    ) -> String {
        switch code {
        case "NoSuchBucket":
            "\(bucket) does not exist at \(place.host) \(reference); "
                + "create it, or correct bucket and endpoint"
        case "RequestTimeTooSkewed":
            "this machine's clock is wrong \(reference); set it"
        case "PermanentRedirect", "AuthorizationHeaderMalformed":
            "\(bucket) cannot be used with this region and endpoint\(said) \(reference); "
                + "correct them"
        case "InvalidStorageClass":
            "\(bucket) does not take this storage class \(reference); correct storage_class"
        case "AccessControlListNotSupported":
            "\(bucket) takes no ACLs \(reference); remove acl"
        case "NotImplemented":
            "\(place.host) cannot do what the connector asks for\(said) \(reference); "
                + "remove that setting"
        case _ where code.hasPrefix("KMS."):
            "the KMS key cannot be used\(said) \(reference); check kms_key_id and the key"
        default:
            "\(bucket) refuses \(operation.rawValue)\(said) \(reference); "
                + "check the bucket and the connector's settings"
        }
    }
}
