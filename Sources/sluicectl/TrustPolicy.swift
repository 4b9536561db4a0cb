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
