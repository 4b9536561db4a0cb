internal import Curl
internal import Delivery
internal import Digest
internal import Files
internal import Model

/// Credentials that a container gets from an endpoint beside it (ECS, EKS Pod Identity).
///
/// Source: "Container credential provider", AWS SDKs and Tools Reference Guide.
final class ContainerSource: CredentialSource {
    private let surroundings: CredentialSurroundings
    private let files: FileReader
    private let options: TransferOptions

    /// What says that the role, or the proof of who asks, is refused.
    static let denials: Set<String> = [
        "AccessDenied", "AccessDeniedException", "ExpiredTokenException",
        "InvalidTokenException", "InvalidIdentityToken", "AssumeRoleUnauthorizedAccess",
    ]

    init(_ surroundings: CredentialSurroundings, files: FileReader) {
        self.surroundings = surroundings
        self.files = files
        options = .beside
    }

    var isThere: Bool { relative != nil || full != nil }

    private var relative: String? {
        surroundings.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    }
    private var full: String? { surroundings.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        guard let url = ContainerURL(relative: relative, full: full) else {
            let text =
                isThere
                ? "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https://, or http:// to this machine "
                    + "or to the addresses of ECS and EKS"
                : "the credentials of the container are asked for, and neither "
                    + "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI "
                    + "is set"
            return completion(.failure(.misconfigured(text)))
        }
        guard let file = surroundings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") else {
            let token = surroundings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
            return ask(url.text, token.map { Secret($0) }, fetch, completion)
        }
        files.read(file) { [self] result in
            switch result {
            case .failure(let error):
                let text = "the token file \(file) cannot be read: \(errorText(error.code))"
                completion(.failure(.misconfigured(text)))
            case .success(let content):
                guard let token = KeyText.line(of: content) else {
                    return completion(.failure(KeyText.noLine(file)))
                }
                ask(url.text, token, fetch, completion)
            }
        }
    }

    private func ask(
        _ url: String, _ token: Secret?, _ fetch: Fetch,
        _ completion: @escaping (SessionResult) -> Void
    ) {
        let headers = token.map { [HeaderField("Authorization", .secret($0))] } ?? []
        let request = HTTPRequest(
            .get, url, headers: headers + [HeaderField("Accept", "application/json")],
            options: options)
        surroundings.transport.ask(request, for: fetch) { [self] result in
            switch result {
            case .failure(let failure):
                completion(
                    .failure(
                        .unreachable(
                            "the container's credentials endpoint does not answer: \(failure.text)"
                        )))
            case .success(let answer):
                completion(session(answer))
            }
        }
    }

    private func session(_ answer: IssuerAnswer) -> SessionResult {
        guard answer.isSuccess else { return .failure(refusal(answer)) }
        guard let object = answer.secrets.withUnsafeBytes({ SecretObject($0) }),
            let session = IssuedKeys.session(
                object, token: "Token", date: answer.date, now: surroundings.now())
        else {
            let text = "the container's credentials endpoint answered with no credentials"
            return .failure(.unreachable(text))
        }
        return .success(session)
    }

    private func refusal(_ answer: IssuerAnswer) -> CredentialsUnavailable {
        let said = answer.response.body.withUnsafeBytes { SecretObject($0) }
        let code = said?.text("code") ?? said?.text("Code")
        let message = said?.text("message") ?? said?.text("Message")
        let text =
            "the container's credentials endpoint answers with "
            + "\(code ?? "HTTP \(answer.status)")\(message.map { ": \($0)" } ?? "")"
        guard (400..<500).contains(answer.status), answer.status != 429, answer.status != 408
        else { return .unreachable(text) }
        if let code, Self.denials.contains(code) {
            return .denied(
                Cause(
                    code: code, message: message, date: answer.date,
                    issuer: "the container's endpoint"))
        }
        return .misconfigured(text)
    }
}

/// Where a container asks. A token goes there, so plain HTTP is for addresses that do not leave the host.
nonisolated struct ContainerURL: Equatable {
    var text: String

    /// nil: it may not be asked.
    init?(relative: String?, full: String?) {
        if let relative {
            guard relative.hasPrefix("/"), Self.isPlain(relative) else { return nil }
            text = "http://169.254.170.2" + relative
            return
        }
        guard let full, Self.isPlain(full) else { return nil }
        text = full
        let lowered = full.lowercased()
        if lowered.hasPrefix("https://") { return }
        guard lowered.hasPrefix("http://") else { return nil }
        let authority = lowered.dropFirst(7).prefix { !"/?#".contains($0) }
        guard let host = Self.host(authority), Self.isNear(host) else { return nil }
    }

    /// The host of an authority, without the port; nil where there is more to it.
    private static func host(_ authority: Substring) -> Substring? {
        if authority.contains("@") { return nil }
        if authority.first == "[" {
            return authority.firstIndex(of: "]").map { authority.dropFirst()[..<$0] }
        }
        return authority.prefix { $0 != ":" }
    }

    /// Loopback, and the addresses of the agents of ECS and EKS.
    private static func isNear(_ host: Substring) -> Bool {
        if ["localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(host) {
            return true
        }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8(part) != nil
            }
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x5C }
    }
}

nonisolated extension TransferOptions {
    /// For what lies beside this machine: never through a proxy, and without long waits.
    static var beside: TransferOptions {
        var options = TransferOptions()
        options.proxy = .none
        options.connectTimeout = .seconds(2)
        options.idleTimeout = .seconds(5)
        options.answerTimeout = .seconds(5)
        return options
    }
}
