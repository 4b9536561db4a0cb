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
/// It writes one object, `<folder>/_sluice_test`, and leaves it there, since nothing of a connector of events may
/// delete; the next trial writes it anew. Of a connector that takes files, it deletes it again.
@MainActor
final class ConnectorTrial {
    static let objectName = "_sluice_test"
    let connector: ConnectorSettings
    let client: S3Client
    /// Makes one that sends less with a PUT.
    let makeClient: (ConnectorSettings) -> S3Client
    private let identity: CallerIdentity
    private let now: Timestamp
    private let provider: any CredentialsProvider
    /// What a role is assumed with; nil where none is.
    private let base: (any CredentialsProvider)?
    let verdict: TrialVerdict
    let key: String
    let body: [UInt8]
    let tell: (TrialStep) -> Void
    let end: () -> Void
    var isWritten = false
    var mayList = false

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
        makeClient = { [options] settings in
            S3Client(settings, transport: transport, credentials: provider, options: options)
        }
        client = makeClient(settings)
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
    static let rejected = "not tried with credentials that are rejected"

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

    /// What is tried of S3, in this order.
    var steps: [String] {
        ["GetBucketLocation", "ListBucket", "PutObject"] + extras.map(\.name) + ["GetObject"]
            + (mayDelete ? ["DeleteObject"] : [])
    }

    /// Whether the connector may delete what it wrote.
    var mayDelete: Bool { connector.kind == .dataExport }

    /// The permissions that a PUT takes for what the connector sends with it.
    var extras: [PutExtra] { PutExtra.allCases.filter { $0.isUsed(by: connector) } }

    func skip(from index: Int, _ reason: String) {
        for name in steps.dropFirst(index) { step(name, .skipped, reason) }
        end()
    }

    func step(_ name: String, _ result: TrialStep.Result, _ text: String) {
        tell(TrialStep(name: name, result: result, text: text))
    }
}
