import Model

/// Who may assume a role, as the policy that stands in the role.
///
/// Source: "How to use external ID when granting access to your AWS resources to a third party" in the
/// IAM User Guide.
struct TrustPolicy {
    /// The ARN of a user, a role or an account.
    var principal: String
    /// Any of these opens the role; without one, whoever is the principal may assume it as it is.
    var externalIDs: [String]

    var json: JSONText {
        var statement: [(String, JSONText)] = [
            ("Sid", .string("SluiceAssumesRole")), ("Effect", .string("Allow")),
            ("Principal", .object([("AWS", .string(principal))])),
            ("Action", .string("sts:AssumeRole")),
        ]
        let ids = Set(externalIDs).sorted().map { JSONText.string($0) }
        if !ids.isEmpty {
            let values = ids.count == 1 ? ids[0] : .array(ids)
            statement.append(
                ("Condition", .object([("StringEquals", .object([("sts:ExternalId", values)]))])))
        }
        return .object([
            ("Version", .string(AccessPolicy.version)),
            ("Statement", .array([.object(statement)])),
        ])
    }

    /// The ARN that stands for a principal: itself, or all of an account that is named by its number.
    ///
    /// nil where the text is neither.
    static func principal(_ text: String, partition: String) -> String? {
        if isAccount(text) { return "arn:\(partition):iam::\(text):root" }
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "iam" || parts[2] == "sts",
            isAccount(parts[4]), !parts[5].isEmpty
        else { return nil }
        return text
    }

    /// The whole account of an ARN such as GetCallerIdentity gives.
    static func account(ofARN arn: String) -> String? {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", isAccount(parts[4]) else { return nil }
        return "arn:\(parts[1]):iam::\(parts[4]):root"
    }

    private static func isAccount(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}

/// One role, and what the connectors that assume it say of it.
struct RoleTrust: Equatable {
    var arn: String
    var externalIDs: [String]
    var remarks: [String]

    /// As it stands in the role's ARN.
    var partition: String {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count > 1 ? String(parts[1]) : "aws"
    }

    /// Each role once, in ascending order.
    static func all(of connectors: [ConnectorSettings]) -> [RoleTrust] {
        let roles = connectors.compactMap { connector in
            connector.credentials.role.map { (connector.name, $0) }
        }
        return Set(roles.map(\.1.arn)).sorted().map { arn in
            let users = roles.filter { $0.1.arn == arn }
            let ids = users.compactMap(\.1.externalID)
            var remarks = users.filter { $0.1.externalID == nil }.map { name, _ in
                ids.isEmpty
                    ? "connector \(name) has no external_id; make one with "
                        + "\"sluicectl external-id\" where the role is in somebody else's account"
                    : "connector \(name) has no external_id, so it may not assume this role"
            }
            remarks.append(
                "who assumes it needs sts:AssumeRole on \(arn) in a policy of its own, unless it "
                    + "is named here itself and in the same account")
            return RoleTrust(arn: arn, externalIDs: ids, remarks: remarks)
        }
    }
}
