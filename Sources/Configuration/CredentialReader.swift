import Model

/// Reads with which credentials a connector signs.
///
/// A secret is never in the configuration itself, only the place of its file. A file that is
/// missing now may come later, so it is a warning; a file that others may read is a problem.
struct CredentialReader {
    let table: TableReader
    let environment: [String: String]

    func read() -> CredentialSettings {
        refuseSecretsInPlace()
        refuseLaterKeys()
        let keyID = table.string("access_key_id", rule: Self.faultInKeyID)
        let secretFile = file("secret_access_key_file")
        let tokenFile = file("session_token_file")

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
        guard let keyID, let secretFile else {
            if !hasKeyID, !hasSecret { warnAboutEnvironment() }
            return .environment
        }
        return .keys(accessKeyID: keyID, secretFile: secretFile, sessionTokenFile: tokenFile)
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

    private func refuseLaterKeys() {
        for key in ["role_arn", "external_id", "sts_endpoint"] {
            table.refuse(key, "assuming a role is not in this version")
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

    private func warnAboutEnvironment() {
        let missing = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].filter {
            environment[$0]?.isEmpty ?? true
        }
        guard !missing.isEmpty, !table.has("secret_access_key") else { return }
        table.findings.warning(
            table.path,
            "no keys are named, and \(missing.joined(separator: " and ")) "
                + "\(missing.count == 1 ? "is" : "are") not set here")
    }
}
