internal import Digest
internal import Encoding
internal import Model
internal import Signing

/// The credentials in an answer of AssumeRole or AssumeRoleWithWebIdentity.
///
/// ```
/// <AssumeRoleResponse><AssumeRoleResult><Credentials>
///   <AccessKeyId/> <SecretAccessKey/> <SessionToken/> <Expiration/>
/// ```
nonisolated struct STSSession {
    var credentials: Credentials
    var expiry: Timestamp

    /// nil: it is no such answer.
    init?(_ body: SecretBuffer) {
        guard !body.isOverfull else { return nil }
        let found = body.withUnsafeBytes { Self.elements(XMLReader($0)) }
        guard let keyID = found["AccessKeyId"], let secret = found["SecretAccessKey"],
            let token = found["SessionToken"],
            let expiry = (found["Expiration"]?.text).flatMap(Timestamp.init(iso8601:)),
            let credentials = try? KeyText.credentials(
                keyID: keyID.text, secret: secret, secretFrom: "STS", token: token,
                tokenFrom: "STS"
            ).get()
        else { return nil }
        self.credentials = credentials
        self.expiry = expiry
    }

    /// The texts inside of the first `<Credentials>`.
    private static func elements(_ reader: XMLReader<UnsafeRawBufferPointer>) -> [String: Secret] {
        var reader = reader
        var path: [String] = []
        var found: [String: Secret] = [:]
        while let event = reader.next() {
            switch event {
            case .start(let name):
                path.append(name)
            case .end:
                path.removeLast()
            case .text(let bytes):
                guard path.dropLast().last == "Credentials", let name = path.last else { continue }
                let text = Secret(copying: UnsafeRawBufferPointer(rebasing: bytes))
                found[name] = found[name] ?? text
            case .decoded:
                // Keys and tokens have nothing that XML would escape.
                return [:]
            }
        }
        return found
    }
}
