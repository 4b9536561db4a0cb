internal import Curl
internal import Delivery
internal import Digest
internal import Model

/// Credentials of the role that is attached to an EC2 instance: IMDSv2, three steps.
///
/// A token by PUT, the name of the role, its credentials. Version 1, without a token, is never asked:
/// whoever can make this process fetch a URL could read it. A proxy would answer for another instance.
///
/// Source: "Use the Instance Metadata Service", EC2 User Guide.
final class InstanceSource: CredentialSource {
    private let surroundings: CredentialSurroundings
    private let options: TransferOptions
    /// Whether the service has ever answered: where it has not, there may be none.
    private(set) var hasAnswered = false

    private static let path = "/latest/meta-data/iam/security-credentials/"
    /// Seconds that a token is good for; it is used at once.
    private static let tokenLifetime = "60"
    private static let name = "the instance metadata service"

    init(_ surroundings: CredentialSurroundings) {
        self.surroundings = surroundings
        options = .beside
    }

    var isDisabled: Bool {
        surroundings.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true"
    }

    private var origin: String {
        if let named = surroundings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
            return named.hasSuffix("/") ? String(named.dropLast()) : named
        }
        let mode = surroundings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased()
        return mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        if isDisabled {
            let text = "AWS_EC2_METADATA_DISABLED keeps the instance from being asked"
            return completion(.failure(.misconfigured(text)))
        }
        let lifetime = HeaderField("X-aws-ec2-metadata-token-ttl-seconds", Self.tokenLifetime)
        ask(.put, "/latest/api/token", [lifetime], fetch, completion) { [self] answer in
            guard let token = Self.line(answer) else { return completion(.failure(Self.odd)) }
            let proof = [HeaderField("X-aws-ec2-metadata-token", .secret(token))]
            ask(.get, Self.path, proof, fetch, completion) { [self] answer in
                guard let role = Self.line(answer)?.text else {
                    return completion(.failure(Self.odd))
                }
                ask(.get, Self.path + role, proof, fetch, completion) { [self] answer in
                    completion(session(answer))
                }
            }
        }
    }

    /// One step; what is no good answer ends the fetch.
    private func ask(
        _ method: HTTPRequest.Method, _ path: String, _ headers: [HeaderField], _ fetch: Fetch,
        _ completion: @escaping (SessionResult) -> Void,
        next: @escaping (IssuerAnswer) -> Void
    ) {
        let request = HTTPRequest(method, origin + path, headers: headers, options: options)
        surroundings.transport.ask(request, for: fetch) { [self] result in
            switch result {
            case .failure(let failure):
                let text =
                    "\(Self.name) does not answer: \(failure.text); in a container it answers only "
                    + "where the instance's hop limit is 2 or more"
                completion(.failure(.unreachable(text)))
            case .success(let answer):
                hasAnswered = true
                if answer.isSuccess { return next(answer) }
                completion(.failure(Self.refusal(answer, isToken: method == .put)))
            }
        }
    }

    private static let odd = CredentialsUnavailable.unreachable(
        "\(name) answers with something else than credentials")

    private static func refusal(_ answer: IssuerAnswer, isToken: Bool) -> CredentialsUnavailable {
        switch answer.status {
        case 404 where !isToken:
            .misconfigured("no role is attached to this instance; attach one")
        case 403, 404, 405:
            .misconfigured(
                "\(name) gives no token (HTTP \(answer.status)); switch it on, version 2")
        default:
            .unreachable("\(name) answered with HTTP \(answer.status)")
        }
    }

    /// The one line that an answer consists of.
    private static func line(_ answer: IssuerAnswer) -> Secret? {
        KeyText.line(of: answer.secrets.withUnsafeBytes { Secret(copying: $0) })
    }

    private func session(_ answer: IssuerAnswer) -> SessionResult {
        guard let object = answer.secrets.withUnsafeBytes({ SecretObject($0) }) else {
            return .failure(Self.odd)
        }
        let code = object.text("Code")
        if let code, code != "Success" {
            let message = object.text("Message")
            let text = "\(Self.name) answers with \(code)\(message.map { ": \($0)" } ?? "")"
            return .failure(
                ContainerSource.denials.contains(code)
                    ? .denied(
                        Cause(
                            code: code, message: message, date: answer.date,
                            issuer: "the instance metadata service"))
                    : .misconfigured(text))
        }
        guard
            let session = IssuedKeys.session(
                object, token: "Token", date: answer.date, now: surroundings.now())
        else { return .failure(Self.odd) }
        return .success(session)
    }
}
