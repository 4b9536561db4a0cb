import Credentials
import Curl
import Model
import S3
import Signing

/// Finds out the account of the credentials that a connector assumes its role with.
@MainActor
final class CallerAccount {
    private let connector: ConnectorSettings
    private let transport = Transport()
    private let provider: RefreshingCredentials
    private let completion: (Result<String, Refusal>) -> Void

    /// - Parameter completion: takes the ARN of the account; the object is to live until then.
    init(
        of connector: ConnectorSettings,
        completion: @escaping (Result<String, Refusal>) -> Void
    ) {
        var base = connector
        base.credentials.role = nil
        self.connector = base
        provider = TrialCredentials.provider(for: base, transport)
        self.completion = completion
    }

    func find() {
        provider.credentials { [self] result in
            switch result {
            case .success(let credentials): identify(credentials)
            case .failure: refuse("connector \(connector.name) has no credentials here")
            }
        }
    }

    private func identify(_ credentials: Credentials) {
        let identity = CallerIdentity(connector: connector, transport: transport)
        identity.ask(with: credentials, now: S3Client.wallClock()) { [self] outcome in
            switch outcome {
            case .caller(let arn):
                guard let account = TrustPolicy.account(ofARN: arn) else {
                    return refuse("STS answers \"\(arn)\"")
                }
                completion(.success(account))
            case .rejected(let reason), .unavailable(let reason): refuse(reason)
            }
        }
    }

    private func refuse(_ reason: String) {
        let text =
            "the account that assumes the role cannot be found out: \(reason); name it with "
            + "--principal"
        completion(.failure(Refusal(text)))
    }
}
