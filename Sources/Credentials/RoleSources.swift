internal import Digest
internal import Files
internal import Model

/// A role, however it is assumed.
nonisolated struct AssumedRole: Sendable, Equatable {
    var arn: String
    var externalID: String?
    var sessionName: String
    var duration: Duration
}

/// A session of a role, assumed with the credentials of another source (AssumeRole).
final class RoleSource: CredentialSource {
    private let role: AssumedRole
    private let base: any CredentialSource
    private let sts: STSClient

    init(_ role: AssumedRole, base: any CredentialSource, sts: STSClient) {
        self.role = role
        self.base = base
        self.sts = sts
    }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        base.fetch(fetch) { [self] result in
            guard case .success(let base) = result else { return completion(result) }
            sts.assume(role, by: .session(base), for: fetch) { result in
                completion(
                    result.map { session in
                        var session = session
                        (session.region, session.isFixed) = (base.region, base.isFixed)
                        return session
                    })
            }
        }
    }
}

/// A session of a role, assumed with a token that somebody else vouches for (AssumeRoleWithWebIdentity).
final class WebIdentitySource: CredentialSource {
    private let role: AssumedRole
    private let tokenFile: String
    private let region: String?
    private let files: FileReader
    private let sts: STSClient

    init(
        _ role: AssumedRole, tokenFile: String, region: String?, files: FileReader, sts: STSClient
    ) {
        self.role = role
        self.tokenFile = tokenFile
        self.region = region
        self.files = files
        self.sts = sts
    }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        files.read(tokenFile) { [self] result in
            switch result {
            case .failure(let error):
                let text = "the token file \(tokenFile) cannot be read: \(errorText(error.code))"
                completion(.failure(.misconfigured(text)))
            case .success(let content):
                guard let token = KeyText.line(of: content) else {
                    return completion(.failure(KeyText.noLine(tokenFile)))
                }
                sts.assume(role, by: .token(token, region: region), for: fetch, completion)
            }
        }
    }
}
