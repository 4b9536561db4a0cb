internal import Digest
internal import Signing

/// What keys may look like, wherever they come from.
nonisolated enum KeyText {
    /// Makes credentials of texts; the text of a failure names where the bad one came from.
    static func credentials(
        keyID: String, secret: Secret, secretFrom: String, token: Secret? = nil,
        tokenFrom: String = ""
    ) -> Result<Credentials, CredentialsUnavailable> {
        // It stands in the Authorization header between "Credential=" and "/".
        let isKeyID = keyID.utf8.allSatisfy { isVisible($0) && $0 != 0x2F && $0 != 0x2C }
        guard isKeyID, (1...128).contains(keyID.utf8.count) else {
            return .failure(
                .misconfigured("what stands for the access key ID of \(secretFrom) is none"))
        }
        guard let secret = line(of: secret) else { return .failure(noLine(secretFrom)) }
        guard let token else {
            return .success(Credentials(accessKeyID: keyID, secretAccessKey: secret))
        }
        guard let token = line(of: token) else { return .failure(noLine(tokenFrom)) }
        return .success(
            Credentials(accessKeyID: keyID, secretAccessKey: secret, sessionToken: token))
    }

    static func noLine(_ place: String) -> CredentialsUnavailable {
        .misconfigured(
            "\(place) does not hold one line of visible characters; write the key into it, nothing else"
        )
    }

    /// The one line of a file: blanks and line ends around it go; nil where anything else is odd.
    static func line(of secret: Secret) -> Secret? {
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

nonisolated extension Secret {
    /// A text that turned out not to be secret.
    var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}
