internal import Digest
internal import Model
internal import Signing

/// The JSON in which programs, containers and instances give credentials.
///
/// ```
/// { "AccessKeyId": …, "SecretAccessKey": …, "Token" or "SessionToken": …, "Expiration": ISO 8601 }
/// ```
nonisolated enum IssuedKeys {
    /// nil: it has no keys, or none that can be used.
    static func session(
        _ object: SecretObject, token: String, date: Timestamp?, now: Timestamp
    ) -> Session? {
        guard let keyID = object.text("AccessKeyId"), let secret = object["SecretAccessKey"],
            let credentials = try? KeyText.credentials(
                keyID: keyID, secret: secret, secretFrom: "", token: object[token]
            ).get()
        else { return nil }
        guard let text = object.text("Expiration") else { return Session(credentials: credentials) }
        guard let expiry = Timestamp(iso8601: text) else { return nil }
        return Session(
            credentials: credentials, lifetime: Duration(until: expiry, date: date, now: now))
    }
}
