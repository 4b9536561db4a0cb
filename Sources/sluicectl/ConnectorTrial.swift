import Curl
import Deflate
import Delivery
import Digest
import Dispatch
import Model
import Credentials
import S3
import Signing

/// Tries the credentials of a connector: one permission after the other, each by itself.
///
/// It writes one object, `<folder>/_sluice_test`, and leaves it there, since nothing of a connector may
/// delete. The next trial writes it anew.
@MainActor
final class ConnectorTrial {
    static let objectName = "_sluice_test"
    /// Corrections of region and clock that one step may take.
    private static let mostCorrections = 3

    private let connector: ConnectorSettings
    private let client: S3Client
    private let identity: CallerIdentity
    private let now: Timestamp
    private let provider: any CredentialsProvider
    /// What a role is assumed with; nil where none is.
    private let base: (any CredentialsProvider)?
    private let verdict: TrialVerdict
    private let key: String
    private let body: [UInt8]
    private let tell: (TrialStep) -> Void
    private let end: () -> Void
    private var isWritten = false
    private var mayList = false

    /// - Parameters:
    ///   - base: gives what a role is assumed with, where the connector has one.
    ///   - tell: takes each step as it ends.
    ///   - end: is called after the last one.
    init(
        _ settings: ConnectorSettings, transport: Transport, provider: any CredentialsProvider,
        base: (any CredentialsProvider)?, now: Timestamp, tell: @escaping (TrialStep) -> Void,
        end: @escaping () -> Void
    ) {
        var settings = settings
        // The object may be there from the last time.
        settings.conditionalWrites = false
        connector = settings
        var options = TransferOptions()
        options.userAgent = "sluicectl/\(sluiceVersion)"
        options.idleTimeout = .seconds(30)
        options.answerTimeout = .seconds(30)
        client = S3Client(settings, transport: transport, credentials: provider, options: options)
        identity = CallerIdentity(connector: settings, transport: transport)
        self.provider = provider
        self.base = base
        self.now = now
        key = Self.key(of: settings)
        verdict = TrialVerdict(connector: settings, key: key)
        body = Array("sluicectl test of connector \(settings.name) at \(now.extended)\n".utf8)
        (self.tell, self.end) = (tell, end)
    }

    static func key(of connector: ConnectorSettings) -> String {
        connector.folder.isEmpty ? objectName : "\(connector.folder)/\(objectName)"
    }

    func start() {
        let first = base ?? provider
        first.credentials { [self] result in
            switch result {
            case .success(let credentials):
                identify(credentials)
            case .failure(let reason):
                tell(
                    verdict.failure(
                        reason.disposition, .getBucketLocation, action: "credentials"))
                if base != nil { step("AssumeRole", .skipped, Self.unsigned) }
                skip(from: 0, Self.unsigned)
            }
        }
    }

    private static let unsigned = "there is nothing to sign with"
    private static let rejected = "not tried with credentials that are rejected"

    /// Says whose the credentials are. That nobody tells is no fault of the connector's.
    private func identify(_ credentials: Credentials) {
        identity.ask(with: credentials, now: now) { [self] outcome in
            let key = "access key \(credentials.accessKeyID)"
            switch outcome {
            case .caller(let arn):
                step("credentials", .ok, "\(key) of \(arn)")
            case .rejected(let reason):
                step("credentials", .failed, "\(key): STS rejects it: \(reason)")
                if base != nil { step("AssumeRole", .skipped, Self.rejected) }
                return skip(from: 0, Self.rejected)
            case .unavailable(let reason):
                step("credentials", .ok, "\(key); whose it is, is not known: \(reason)")
            }
            if let role = connector.credentials.role { assume(role) } else { askForLocation() }
        }
    }

    private func assume(_ role: CredentialSettings.Role) {
        provider.credentials { [self] result in
            switch result {
            case .success:
                step("AssumeRole", .ok, "\(role.arn), as session \(role.sessionName)")
                askForLocation()
            case .failure(let reason):
                tell(verdict.failure(reason, role))
                skip(from: 0, Self.unsigned)
            }
        }
    }

    private static let steps = ["GetBucketLocation", "ListBucket", "PutObject", "GetObject"]

    private func skip(from index: Int, _ reason: String) {
        for name in Self.steps.dropFirst(index) { step(name, .skipped, reason) }
        end()
    }

    private func step(_ name: String, _ result: TrialStep.Result, _ text: String) {
        tell(TrialStep(name: name, result: result, text: text))
    }

    /// Sends a request, again where S3 corrects region or clock, and tells what came of it.
    ///
    /// - Parameters:
    ///   - judge: says what came of it where that is not the general verdict.
    ///   - next: is told whether it went well.
    private func attempt(
        _ operation: Operation, action: String, corrections: Int = 0,
        send: @escaping (@escaping (S3Reply) -> Void) -> Void,
        judge: @escaping (S3Reply) -> TrialStep?, next: @escaping (Bool) -> Void
    ) {
        send { [self] reply in
            if corrections < Self.mostCorrections, client.correct(by: reply.disposition) {
                return attempt(
                    operation, action: action, corrections: corrections + 1, send: send,
                    judge: judge, next: next)
            }
            let outcome =
                judge(reply)
                ?? verdict.failure(reply.disposition.afterCorrection, operation, action: action)
            tell(outcome)
            // Of keys that S3 rejects nothing else can come.
            if case .credentials(.connector, _) = reply.disposition {
                let index = Self.steps.firstIndex(of: outcome.name) ?? Self.steps.endIndex
                return skip(from: index + 1, Self.rejected)
            }
            next(outcome.result == .ok)
        }
    }

    private func askForLocation() {
        attempt(
            .getBucketLocation, action: "s3:GetBucketLocation",
            send: { [client] in client.getBucketLocation(completion: $0) },
            judge: { [self] reply in
                guard case .answered = reply.disposition else { return nil }
                return locationStep(reply.location)
            },
            next: { [self] _ in list() })
    }

    private func locationStep(_ location: String?) -> TrialStep {
        let name = "GetBucketLocation"
        guard let location else {
            return TrialStep(name: name, result: .ok, text: "the store names no region")
        }
        guard let region = connector.region, region != location else {
            return TrialStep(name: name, result: .ok, text: location)
        }
        return TrialStep(
            name: name, result: .failed,
            text: "the bucket is in \(location), and region says \(region); write "
                + "region = \"\(location)\"")
    }

    private func list() {
        let prefix = connector.folder.isEmpty ? "" : connector.folder + "/"
        attempt(
            .listBucket, action: "s3:ListBucket",
            send: { [client] in client.listBucket(prefix: prefix, completion: $0) },
            judge: { [connector] reply in
                guard case .answered = reply.disposition else { return nil }
                return TrialStep(
                    name: "ListBucket", result: .ok, text: "s3://\(connector.bucket)/\(prefix)")
            },
            next: { [self] isAllowed in
                mayList = isAllowed
                put()
            })
    }

    private func put() {
        let upload = body.withUnsafeBytes { bytes in
            ObjectUpload(
                key: key, sha256: SHA256.digest(of: bytes), crc32: CRC32(of: bytes).value,
                contentType: "text/plain")
        }
        attempt(
            .putObject, action: writeActions,
            send: { [client, body] in
                client.putObject(upload, body: BytesBody(body), completion: $0)
            },
            judge: { [connector, key] reply in
                guard case .delivered = reply.disposition else { return nil }
                return TrialStep(
                    name: "PutObject", result: .ok, text: "s3://\(connector.bucket)/\(key)")
            },
            next: { [self] isAllowed in
                isWritten = isAllowed
                get()
            })
    }

    /// What a PUT of this connector needs; S3's message says which of them is missing.
    private var writeActions: String {
        var actions = ["s3:PutObject"]
        if connector.acl != nil { actions.append("s3:PutObjectAcl") }
        if !connector.tags.isEmpty { actions.append("s3:PutObjectTagging") }
        return actions.joined(separator: " and ")
    }

    private func get() {
        let received = Received()
        attempt(
            .getObject, action: "s3:GetObject",
            send: { [client, key] completion in
                received.bytes = []
                client.getObject(key, sink: { received.take($0) }, completion: completion)
            },
            judge: { [self] reply in readStep(reply.disposition, received.bytes) },
            next: { [self] _ in end() })
    }

    private func readStep(_ disposition: Disposition, _ bytes: [UInt8]) -> TrialStep? {
        let name = "GetObject"
        switch disposition {
        case .answered where !isWritten:
            return TrialStep(name: name, result: .ok, text: "an older object was read")
        case .answered where bytes == body:
            return TrialStep(name: name, result: .ok, text: "the same bytes came back")
        case .answered:
            return TrialStep(
                name: name, result: .failed,
                text: "other bytes came back than were written; does somebody else test at this "
                    + "moment, or does something between this machine and S3 keep copies?")
        case .missing where !isWritten:
            return TrialStep(
                name: name, result: .skipped, text: "\(key) is not there, so it cannot be read")
        // Only who may list a bucket is told that an object is not there.
        case .advice where !isWritten && !mayList:
            return TrialStep(
                name: name, result: .skipped, text: "nothing could be written that could be read")
        default:
            return nil
        }
    }

    /// The beginning of an object's bytes.
    private final class Received {
        var bytes: [UInt8] = []

        func take(_ piece: UnsafeRawBufferPointer) {
            // More than any trial writes; an object of somebody else's may be of any size.
            if bytes.count < 64 << 10 { bytes += piece }
        }
    }
}
