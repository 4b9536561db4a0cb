import Configuration
import Credentials
import Delivery
import Model
import Testing

@testable import sluicectl

@Suite("What sluicectl test says")
struct TrialTests {
    private static func connector(
        _ change: (inout ConnectorSettings) -> Void = { _ in }
    ) -> ConnectorSettings {
        var settings = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: "acme-events", integrationID: "5d4a")
        change(&settings)
        return settings
    }

    private static let denied = Cause(
        code: "AccessDenied", message: "User is not authorized", requestID: "4442587FB7D0A2F9")

    private func text(
        _ disposition: Disposition, _ operation: Delivery.Operation,
        _ settings: ConnectorSettings = connector()
    ) -> String {
        let verdict = TrialVerdict(connector: settings, key: "currents/_sluice_test")
        return verdict.failure(disposition, operation, action: operation.rawValue).text
    }

    @Test(
        "A permission that is missing is named, with what to do",
        arguments: [
            (Disposition.advice(denied), Operation.getBucketLocation, "s3:GetBucketLocation"),
            (.advice(denied), .listBucket, "s3:ListBucket"),
            (.advice(denied), .getObject, "s3:GetObject"),
            (.credentials(.eventType, denied), .putObject, "s3:PutObject"),
        ])
    func denials(disposition: Disposition, operation: Delivery.Operation, action: String) {
        #expect(
            text(disposition, operation)
                == "denied (AccessDenied, request 4442587FB7D0A2F9): User is not authorized; allow "
                + "\(action) in the policy of the user or role: \"sluicectl policy orders\" prints "
                + "it; see that the bucket's policy does not deny it")
    }

    @Test("With KMS, the policy of the key may be what denies")
    func keys() {
        let settings = Self.connector { $0.encryption = .kms(keyID: nil, bucketKey: nil) }
        #expect(
            text(.credentials(.eventType, Self.denied), .putObject, settings)
                .contains("the policy of the KMS key"))
    }

    @Test("A role that may not be assumed is told with both sides that may forbid it")
    func roles() {
        let settings = Self.connector()
        var role = CredentialSettings.Role(
            arn: "arn:aws:iam::123456789012:role/sluice", externalID: "x", sessionName: "s")
        let verdict = TrialVerdict(connector: settings, key: "k")
        let step = verdict.failure(.denied(Self.denied), role)
        #expect(step.name == "AssumeRole" && step.result == .failed)
        #expect(
            step.text
                == "denied (AccessDenied, request 4442587FB7D0A2F9): User is not authorized; allow "
                + "sts:AssumeRole on arn:aws:iam::123456789012:role/sluice to the credentials "
                + "above, and see that the role's trust policy names them and the external ID: "
                + "\"sluicectl policy orders --only trust\" prints one")
        role.externalID = nil
        #expect(!verdict.failure(.denied(Self.denied), role).text.contains("external ID"))
        // The key itself is at fault, so no policy mends it.
        let key = verdict.failure(.denied(Cause(code: "InvalidClientTokenId")), role)
        #expect(key.text.contains("access key ID") && !key.text.contains("sts:AssumeRole"))
    }

    @Test("Other troubles are told as the daemon tells them, without what holds for it alone")
    func others() {
        let cause = Cause(code: "NoSuchBucket", requestID: "44")
        let missing = text(.misconfigured(.refused(cause)), .putObject)
        #expect(missing.contains("bucket \"acme-events\" does not exist"))
        let unreachable = text(
            .backingOff(.unreachable, Cause(code: "curl 7"), retryAfter: nil), .listBucket)
        #expect(unreachable.contains("cannot be reached"))
        for text in [missing, unreachable] {
            #expect(!text.contains("connector orders"))
            #expect(!text.contains("tried again") && !text.contains("events wait"))
        }
    }

    @Test("Lines keep to their width, with the name of a step in its own column")
    func lines() {
        let step = TrialStep(name: "ListBucket", result: .failed, text: "one two three four")
        #expect(
            step.lines(width: 43, colours: false) == [
                "  failed   ListBucket         one two three", "    four",
            ])
        #expect(step.lines(width: 80, colours: true)[0].hasPrefix("  \u{1B}[31mfailed\u{1B}[0m   "))
        #expect(step.json.text.hasPrefix(#"{"step":"ListBucket","result":"failed","#))
    }

    @Test(
        "The object that is written lies in the folder",
        arguments: [("currents", "currents/_sluice_test"), ("", "_sluice_test")])
    @MainActor func key(folder: String, key: String) {
        #expect(ConnectorTrial.key(of: Self.connector { $0.folder = folder }) == key)
    }
}
