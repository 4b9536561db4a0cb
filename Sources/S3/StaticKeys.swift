public import Digest
public import Model
public import Signing

/// Keys that do not expire: from the environment, or a key ID and files with the secret parts.
///
/// What was read is kept until `forget`; a failure is not, so a mended file counts at the next request.
public final class StaticKeys: CredentialsProvider {
    /// Reads a file whole, off the main queue, and answers on the main actor; the text of a failure
    /// names the file and says what to do.
    public typealias ReadSecret =
        (_ path: String, _ completion: @escaping (Result<Secret, CredentialsUnavailable>) -> Void)
        -> Void

    private let settings: CredentialSettings
    private let environment: (String) -> String?
    private let readSecret: ReadSecret
    private var kept: Credentials?

    public init(
        _ settings: CredentialSettings, environment: @escaping (String) -> String?,
        readSecret: @escaping ReadSecret
    ) {
        self.settings = settings
        self.environment = environment
        self.readSecret = readSecret
    }

    public func forget() {
        kept = nil
    }

    public func credentials(
        completion: @escaping (Result<Credentials, CredentialsUnavailable>) -> Void
    ) {
        if let kept { return completion(.success(kept)) }
        let keep = { (result: Result<Credentials, CredentialsUnavailable>) in
            self.kept = try? result.get()
            completion(result)
        }
        switch settings {
        case .environment:
            keep(fromEnvironment())
        case .keys(let accessKeyID, let secretFile, let sessionTokenFile):
            fromFiles(accessKeyID, secretFile, sessionTokenFile, completion: keep)
        }
    }

    private func fromEnvironment() -> Result<Credentials, CredentialsUnavailable> {
        guard let keyID = variable("AWS_ACCESS_KEY_ID"),
            let secret = variable("AWS_SECRET_ACCESS_KEY")
        else {
            let text =
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set; "
                + "set them, or name the keys under [credentials]"
            return .failure(.misconfigured(text))
        }
        let token = variable("AWS_SESSION_TOKEN")
        return credentials(
            keyID, Secret(secret), token.map { Secret($0) }, secretFrom: "AWS_SECRET_ACCESS_KEY",
            tokenFrom: "AWS_SESSION_TOKEN")
    }

    private func variable(_ name: String) -> String? {
        environment(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    private func fromFiles(
        _ accessKeyID: String, _ secretFile: String, _ sessionTokenFile: String?,
        completion: @escaping (Result<Credentials, CredentialsUnavailable>) -> Void
    ) {
        read(secretFile) { secret in
            let secret = secret
            guard let sessionTokenFile else {
                return completion(
                    secret.flatMap {
                        self.credentials(accessKeyID, $0, nil, secretFrom: secretFile)
                    })
            }
            self.read(sessionTokenFile) { token in
                completion(
                    secret.flatMap { secret in
                        token.flatMap { token in
                            self.credentials(
                                accessKeyID, secret, token, secretFrom: secretFile,
                                tokenFrom: sessionTokenFile)
                        }
                    })
            }
        }
    }

    /// A relative path lies in the directory that systemd made for `LoadCredential=`.
    private func read(
        _ path: String, completion: @escaping (Result<Secret, CredentialsUnavailable>) -> Void
    ) {
        if path.utf8.first == UInt8(ascii: "/") { return readSecret(path, completion) }
        guard let directory = variable("CREDENTIALS_DIRECTORY") else {
            let text =
                "\"\(path)\" is looked for in $CREDENTIALS_DIRECTORY, which is not set; "
                + "run under systemd with LoadCredential=, or give the whole path"
            return completion(.failure(.misconfigured(text)))
        }
        readSecret("\(directory)/\(path)", completion)
    }

    private func credentials(
        _ keyID: String, _ secret: Secret, _ token: Secret?, secretFrom: String,
        tokenFrom: String = ""
    ) -> Result<Credentials, CredentialsUnavailable> {
        let isKeyID = keyID.utf8.allSatisfy { Self.isVisible($0) && $0 != 0x2F && $0 != 0x2C }
        guard isKeyID, !keyID.isEmpty else {
            return .failure(.misconfigured("\"\(keyID)\" is no access key ID"))
        }
        guard let secret = Self.line(of: secret) else {
            return .failure(.misconfigured(Self.noLine(secretFrom)))
        }
        guard let token else {
            return .success(Credentials(accessKeyID: keyID, secretAccessKey: secret))
        }
        guard let token = Self.line(of: token) else {
            return .failure(.misconfigured(Self.noLine(tokenFrom)))
        }
        return .success(
            Credentials(accessKeyID: keyID, secretAccessKey: secret, sessionToken: token))
    }

    private static func noLine(_ place: String) -> String {
        "\(place) does not hold one line of visible characters; write the key into it, nothing else"
    }

    /// The one line of a file: blanks and line ends around it go; nil where anything else is odd.
    private static func line(of secret: Secret) -> Secret? {
        secret.withUnsafeBytes { bytes in
            guard let first = bytes.firstIndex(where: { !isBlank($0) }),
                let last = bytes.lastIndex(where: { !isBlank($0) })
            else { return nil }
            let line = UnsafeRawBufferPointer(rebasing: bytes[first...last])
            return line.allSatisfy(isVisible) ? Secret(copying: line) : nil
        }
    }

    private static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (9...13).contains(byte) }
}
