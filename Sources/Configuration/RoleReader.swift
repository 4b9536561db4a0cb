import Model

/// Reads which role is assumed on top of the keys, and how.
struct RoleReader {
    let table: TableReader
    let connector: ConnectorName

    func read() -> CredentialSettings.Role? {
        let arn = table.string("role_arn", rule: Self.faultInARN)
        let externalID = table.string("external_id", rule: Self.faultInExternalID)
        let sessionName = table.string("role_session_name", rule: Self.faultInSessionName)
        // What AssumeRole allows; the role's own maximum may be less.
        let duration = table.duration("role_duration", in: .seconds(900)...(.seconds(43_200)))
        guard table.has("role_arn") else {
            for key in ["external_id", "role_session_name", "role_duration"] where table.has(key) {
                table.problem(key, "has a meaning only with role_arn")
            }
            return nil
        }
        guard let arn else { return nil }
        var role = CredentialSettings.Role(
            arn: arn, externalID: externalID,
            sessionName: sessionName ?? CredentialSettings.Role.sessionName(for: connector))
        role.duration = duration ?? role.duration
        return role
    }

    /// Source: "IAM identifiers", IAM User Guide.
    private static func faultInARN(_ text: String) -> String? {
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        let isARN =
            parts.count == 6 && parts[0] == "arn"
            && ["aws", "aws-cn", "aws-us-gov"].contains(parts[1]) && parts[2] == "iam"
            && parts[3].isEmpty && parts[4].utf8.count == 12
            && parts[4].utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isARN, parts[5].hasPrefix("role/") else {
            return "\(quoted(text)) is no role; write it like "
                + "\"arn:aws:iam::123456789012:role/sluice\""
        }
        let path = parts[5].dropFirst(5).split(separator: "/", omittingEmptySubsequences: false)
        let isName =
            path.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isNameByte) }
            && (1...64).contains(path.last?.utf8.count ?? 0) && parts[5].utf8.count <= 600
        return isName
            ? nil
            : "\(quoted(text)) has no valid name of a role; it has up to 64 of A-Z, a-z, 0-9 and "
                + "_ + = , . @ -"
    }

    /// Source: AssumeRole, AWS STS API Reference, as are the limits below.
    private static func faultInExternalID(_ text: String) -> String? {
        let isID = text.utf8.allSatisfy { isNameByte($0) || $0 == 0x3A || $0 == 0x2F }
        return isID && (2...1224).contains(text.utf8.count)
            ? nil
            : "\(quoted(text)) is no external ID; it has 2 to 1,224 of A-Z, a-z, 0-9 and "
                + "_ + = , . @ : / -"
    }

    private static func faultInSessionName(_ text: String) -> String? {
        text.utf8.allSatisfy(isNameByte) && (2...64).contains(text.utf8.count)
            ? nil
            : "\(quoted(text)) is no name of a session; it has 2 to 64 of A-Z, a-z, 0-9 and "
                + "_ + = , . @ -"
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || "_+=,.@-".utf8.contains(byte)
    }
}
