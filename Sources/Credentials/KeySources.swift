internal import Digest
internal import Files
internal import Signing

/// A key ID, and files with the secret and perhaps a session token.
final class KeyFiles: CredentialSource {
    private let keyID: String
    private let secretFile: String
    private let tokenFile: String?
    private let surroundings: CredentialSurroundings
    private let files: FileReader

    init(
        keyID: String, secretFile: String, tokenFile: String?,
        surroundings: CredentialSurroundings, files: FileReader
    ) {
        self.keyID = keyID
        self.secretFile = secretFile
        self.tokenFile = tokenFile
        self.surroundings = surroundings
        self.files = files
    }

    /// Whether all that is read lies where systemd put it when the unit started.
    var isFixed: Bool {
        [secretFile, tokenFile].compactMap(\.self).allSatisfy { file in
            guard file.hasPrefix("/") else { return true }
            return surroundings.variable("CREDENTIALS_DIRECTORY").map {
                file.hasPrefix($0 + "/")
            } ?? false
        }
    }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        read(secretFile) { [self] secret in
            guard let tokenFile else {
                return completion(secret.flatMap { session($0, nil) })
            }
            read(tokenFile) { [self] token in
                completion(
                    secret.flatMap { secret in token.flatMap { session(secret, $0) } })
            }
        }
    }

    private func session(_ secret: Secret, _ token: Secret?) -> SessionResult {
        KeyText.credentials(
            keyID: keyID, secret: secret, secretFrom: secretFile, token: token,
            tokenFrom: tokenFile ?? ""
        ).map { Session(credentials: $0, isFixed: isFixed) }
    }

    /// A relative path lies in the directory that systemd made for `LoadCredential=`.
    private func read(
        _ file: String, _ completion: @escaping (Result<Secret, CredentialsUnavailable>) -> Void
    ) {
        var path = file
        if !file.hasPrefix("/") {
            guard let directory = surroundings.variable("CREDENTIALS_DIRECTORY") else {
                let text =
                    "\"\(file)\" is looked for in $CREDENTIALS_DIRECTORY, which is not set; "
                    + "run under systemd with LoadCredential=, or give the whole path"
                return completion(.failure(.misconfigured(text)))
            }
            path = directory + "/" + file
        }
        files.read(path) { result in
            completion(
                result.mapError { error in
                    .misconfigured(
                        "\(path) cannot be read: \(errorText(error.code)); put the secret there, "
                            + "readable for the user of sluiced only")
                })
        }
    }
}

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
final class EnvironmentKeys: CredentialSource {
    private let surroundings: CredentialSurroundings

    init(_ surroundings: CredentialSurroundings) {
        self.surroundings = surroundings
    }

    /// Whether one of the keys is set; half of a pair is a mistake, and nothing to look elsewhere for.
    var isThere: Bool {
        surroundings.variable("AWS_ACCESS_KEY_ID") != nil
            || surroundings.variable("AWS_SECRET_ACCESS_KEY") != nil
    }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        guard let keyID = surroundings.variable("AWS_ACCESS_KEY_ID"),
            let secret = surroundings.variable("AWS_SECRET_ACCESS_KEY")
        else {
            let text =
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set; "
                + "set them, or name the keys under [credentials]"
            return completion(.failure(.misconfigured(text)))
        }
        let token = surroundings.variable("AWS_SESSION_TOKEN")
        completion(
            KeyText.credentials(
                keyID: keyID, secret: Secret(secret), secretFrom: "AWS_SECRET_ACCESS_KEY",
                token: token.map { Secret($0) }, tokenFrom: "AWS_SESSION_TOKEN"
            ).map { Session(credentials: $0, isFixed: true) })
    }
}
