import Digest
import Signing

@testable import Credentials

/// Arbitrary bytes as the shared files of the SDKs: up to the first NUL `credentials`, then `config`.
enum ProfilesTarget {
    static func fault(_ bytes: [UInt8]) -> String? {
        let files = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let command = String(decoding: files[0], as: UTF8.self)
        if let fault = fault(splitting: command) { return fault }
        do throws(ProfileFile.Damage) {
            let credentials = try ProfileFile(secret(files[0]), .credentials)
            let config =
                files.count > 1 ? try ProfileFile(secret(files[1]), .config) : ProfileFile()
            let profiles = Profiles(
                config: config, credentials: credentials, sessionName: "sluice")
            return fault(profiles)
        } catch {
            let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
            return (1...lines).contains(error.line) ? nil : "line \(error.line) of \(lines)"
        }
    }

    private static func secret(_ bytes: ArraySlice<UInt8>) -> Secret {
        bytes.withUnsafeBytes { Secret(copying: $0) }
    }

    private static func fault(_ profiles: Profiles) -> String? {
        for (name, profile) in profiles.profiles {
            do throws(CredentialsUnavailable) {
                guard let plan = try profiles.plan(name) else { continue }
                if let fault = fault(plan) { return fault }
            } catch {
                guard case .misconfigured(let text) = error, !text.isEmpty else {
                    return "no fault of the files: \(error)"
                }
                let secret = profile["aws_secret_access_key"]?.text ?? ""
                if isTold(secret, by: text, in: profiles) {
                    return "a fault tells the secret"
                }
            }
        }
        return nil
    }

    /// A short secret, or one of the words of such files, may be a part of any sentence; and what also stands elsewhere in
    /// the files is no secret.
    private static func isTold(_ secret: String, by text: String, in profiles: Profiles) -> Bool {
        let isWord = secret.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || $0 == 0x5f || $0 == 0x20
        }
        guard secret.utf8.count > 12, !isWord, text.contains(secret) else { return false }
        return !profiles.profiles.contains { name, profile in
            name.contains(secret)
                || profile.contains {
                    $0.key != "aws_secret_access_key" && $0.value.text.contains(secret)
                        || $0.key.contains(secret)
                }
        }
    }

    private static func fault(_ plan: ProfilePlan) -> String? {
        switch plan {
        case .keys(let keys):
            let id = keys.accessKeyID.utf8
            let isSound =
                (1...128).contains(id.count) && id.allSatisfy { (0x21...0x7e).contains($0) }
                && isLine(keys.secretAccessKey) && keys.sessionToken.map(isLine) ?? true
            return isSound ? nil : "keys that no header can hold"
        case .role(let role, let base):
            return (900...43_200).contains(role.duration.components.seconds)
                ? fault(base) : "a session of \(role.duration)"
        case .webIdentity, .process, .environment, .container, .instance:
            return nil
        }
    }

    private static func isLine(_ secret: Secret) -> Bool {
        secret.count > 0
            && secret.withUnsafeBytes { $0.allSatisfy { (0x21...0x7e).contains($0) } }
    }

    /// Words that are quoted are the same words when they are split again.
    private static func fault(splitting text: String) -> String? {
        guard let words = ShellWords.split(text) else { return nil }
        // By scalars: a mark behind a quote would be one character with it.
        let quoted = words.map { word in
            word.unicodeScalars.reduce("'") { text, scalar in
                text + (scalar == "'" ? #"'"'"'"# : String(scalar))
            } + "'"
        }
        return ShellWords.split(quoted.joined(separator: " ")) == words
            ? nil : "quoted, \(words) are other words"
    }
}
