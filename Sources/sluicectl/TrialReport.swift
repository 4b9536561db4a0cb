import Credentials
import Delivery
import Model

/// What one try of one permission came to.
struct TrialStep: Equatable {
    enum Result: String {
        case ok, failed
        /// Not tried, or without an answer that says anything; no fault of the connector.
        case skipped
    }

    /// As AWS calls it: `ListBucket`.
    var name: String
    var result: Result
    /// What came of it, or why it failed and what to do.
    var text: String

    var json: JSONText {
        .object([
            ("step", .string(name)), ("result", .string(result.rawValue)),
            ("detail", .string(text)),
        ])
    }

    /// `ok`, the name, and what came of it; long texts go on below.
    func lines(width: Int, colours: Bool) -> [String] {
        let mark = result.rawValue
        let head =
            mark + Self.space(mark, Self.markWidth) + name + Self.space(name, Self.nameWidth)
        var lines = wrapped(
            head.replacing(" ", with: "\u{A0}") + Output.plain(text), width: width, indent: 2)
        for index in lines.indices {
            lines[index] = lines[index].replacing("\u{A0}", with: " ")
        }
        if colours, result == .failed {
            let rest = lines[0].dropFirst(2 + mark.count)
            lines[0] = "  " + Output.coloured(mark, .red) + rest
        }
        return lines
    }

    private static let markWidth = 9
    private static let nameWidth = 19

    private static func space(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count))
    }
}

/// Says what an answer means for a permission that was tried by itself.
struct TrialVerdict {
    let connector: ConnectorSettings
    /// The key that is written and read.
    let key: String

    /// The step for an operation that ended with a disposition other than success.
    ///
    /// - Parameter action: what it needs, such as `s3:PutObject`.
    func failure(
        _ disposition: Disposition, _ operation: Operation, action: String
    ) -> TrialStep {
        TrialStep(
            name: action == "credentials" ? action : String(operation.rawValue.dropFirst(3)),
            result: .failed,
            text: reason(disposition, operation, action: action))
    }

    /// The step for a role that is not assumed.
    func failure(
        _ reason: CredentialsUnavailable, _ role: CredentialSettings.Role
    ) -> TrialStep {
        var text = failure(reason.disposition, .getBucketLocation, action: "sts:AssumeRole").text
        if case .denied(let cause) = reason, cause.code.hasPrefix("AccessDenied") {
            text =
                refusal(cause) + "; allow sts:AssumeRole on \(role.arn) to the credentials above, "
                + "and see that the role's trust policy names them"
                + (role.externalID == nil ? "" : " and the external ID")
                + ": \"sluicectl policy \(connector.name) --only trust\" prints one"
        }
        return TrialStep(name: "AssumeRole", result: .failed, text: text)
    }

    private func reason(
        _ disposition: Disposition, _ operation: Operation, action: String
    ) -> String {
        switch disposition {
        case .credentials(.eventType, let cause), .advice(let cause):
            return denial(cause, action: action)
        case .missing:
            return "\(key) is not there, although it was written just now; does somebody remove "
                + "objects from the bucket?"
        default:
            let place = Destination(
                connector: connector.name.description, bucket: connector.bucket,
                host: connector.endpoint ?? "S3",
                key: operation == .putObject || operation == .getObject ? key : nil)
            return clause(disposition.explanation(of: operation, at: place))
        }
    }

    /// A sentence of the daemon's, without what holds for a daemon only.
    private func clause(_ sentence: String) -> String {
        var clause = sentence[...]
        let subject = "connector \(connector.name): "
        if clause.hasPrefix(subject) { clause = clause.dropFirst(subject.count) }
        for end in ["; it is tried again by itself", "; events wait until this is mended"]
        where clause.hasSuffix(end) {
            clause = clause.dropLast(end.count)
        }
        return String(clause)
    }

    private func denial(_ cause: Cause, action: String) -> String {
        let key =
            if case .kms = connector.encryption {
                ", the policy of the KMS key, too,"
            } else {
                ""
            }
        return "\(refusal(cause)); allow \(action) in the policy of the user "
            + "or role: \"sluicectl policy \(connector.name)\" prints it; see\(key) that the "
            + "bucket's policy does not deny it"
    }

    /// What the other side said.
    private func refusal(_ cause: Cause) -> String {
        let request = cause.requestID.map { ", request \($0)" } ?? ""
        var said = cause.message ?? ""
        while said.hasSuffix(".") { said.removeLast() }
        return "denied (\(cause.code)\(request))" + (said.isEmpty ? "" : ": \(said)")
    }
}
