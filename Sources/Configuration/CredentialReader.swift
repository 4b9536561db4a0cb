import Model

/// Reads with which credentials a connector signs.
///
/// A secret is never in the configuration itself, only the place of its file. A file that is
/// missing now may come later, so it is a warning; a file that others may read is a problem.
struct CredentialReader {
    let table: TableReader
    let connector: ConnectorName
    /// Whether plain HTTP may leave this machine.
    let insecureAllowed: Bool
    let environment: [String: String]

    func read() -> CredentialSettings {
        refuseSecretsInPlace()
        var settings = CredentialSettings(
            base: base(), role: RoleReader(table: table, connector: connector).read())
        settings.stsEndpoint = stsEndpoint()
        settings.grace =
            table.duration("grace", in: .zero...(.seconds(3600))) ?? settings.grace
        return settings
    }

    private func base() -> CredentialSettings.Base {
        let keyID = table.string("access_key_id", rule: Self.faultInKeyID)
        let secretFile = file("secret_access_key_file")
        let tokenFile = file("session_token_file")
        let profile = table.string("profile") { text in
            text.isEmpty || text.utf8.contains { $0 < 0x20 || $0 == 0x5D }
                ? "\(quoted(text)) is no name of a profile" : nil
        }
        let (hasKeyID, hasSecret) = (
            table.has("access_key_id"), table.has("secret_access_key_file")
        )
        if hasKeyID, !hasSecret {
            table.problem("secret_access_key_file", "is missing; access_key_id needs it")
        } else if hasSecret, !hasKeyID {
            table.problem("access_key_id", "is missing; secret_access_key_file needs it")
        } else if table.has("session_token_file"), !hasKeyID {
            table.problem("access_key_id", "is missing; session_token_file needs it")
        }
        if table.has("profile"), hasKeyID || hasSecret {
            table.problem("profile", "contradicts access_key_id; name the keys or a profile")
        }
        guard let keyID, let secretFile else { return .chain(profile: profile) }
        return .keys(accessKeyID: keyID, secretFile: secretFile, sessionTokenFile: tokenFile)
    }

    private func stsEndpoint() -> String? {
        guard let text = table.string("sts_endpoint") else { return nil }
        do throws(HTTPOrigin.Fault) {
            let origin = try HTTPOrigin(text)
            guard origin.isSecure || origin.isLoopback || insecureAllowed else {
                table.problem(
                    "sts_endpoint",
                    "\(quoted(text)) would send credentials unencrypted; use https://, "
                        + "or set allow_insecure_http = true")
                return nil
            }
        } catch {
            table.problem("sts_endpoint", error.text)
        }
        if !table.has("role_arn"), table.has("access_key_id") {
            table.problem("sts_endpoint", "has a meaning only where a role is assumed")
        }
        return text
    }

    private func refuseSecretsInPlace() {
        for (key, file) in [
            ("secret_access_key", "secret_access_key_file"),
            ("session_token", "session_token_file"),
        ] {
            table.refuse(
                key,
                "a secret does not belong here: write it into a file that only root and sluice may read, "
                    + "name that file in \(file), and make this secret invalid if others have seen it"
            )
        }
    }

    /// A key ID stands in the Authorization header between "Credential=" and "/". It is not
    /// repeated: people mistake the one key for the other.
    private static func faultInKeyID(_ text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { byte in
            isLetterOrDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: ".")
        }
        return isPlain && (1...128).contains(text.utf8.count)
            ? nil : "is no key ID; it has 1 to 128 of A-Z, a-z, 0-9, \"_\", \".\" and \"-\""
    }

    /// The path of a secret; a name that cannot be resolved stays as it is written.
    private func file(_ key: String) -> String? {
        let name = table.string(key) { name in
            if name.hasPrefix("/") { return nil }
            let isName = !name.isEmpty && !name.contains("/") && name != "." && name != ".."
            return isName
                ? nil
                : "\(quoted(name)) is neither an absolute path nor the name of a credential"
        }
        guard let name else { return nil }
        if name.hasPrefix("/") {
            look(at: name, for: key)
            return name
        }
        guard let directory = environment["CREDENTIALS_DIRECTORY"], directory.hasPrefix("/") else {
            table.warning(
                key,
                "\(quoted(name)) lies in $CREDENTIALS_DIRECTORY, which is not set here; "
                    + "systemd sets it for a unit with LoadCredential=\(name):PATH")
            return name
        }
        let path = directory + "/" + name
        look(at: path, for: key)
        return path
    }

    private func look(at path: String, for key: String) {
        do throws(SystemFile.Failure) {
            let status = try SystemFile.status(path)
            if !status.isRegular {
                table.warning(key, "\(quoted(path)) is not a file")
            } else if status.isOpenToOthers {
                table.problem(
                    key,
                    "\(quoted(path)) is open to every user of this machine; run \"chmod o-rwx \(path)\""
                )
            } else if status.size == 0 {
                table.warning(key, "\(quoted(path)) is empty")
            } else if !SystemFile.isReadable(path) {
                table.warning(key, "\(quoted(path)) cannot be read by this user: permission denied")
            }
        } catch {
            table.warning(key, "\(quoted(path)) cannot be read: \(error.reason)")
        }
    }
}
