@testable import Configuration
import Model
import Testing

@Suite struct ExampleTests {
    private let sandbox = Sandbox()

    /// The text of a file in `etc/` of this package.
    private func example(_ name: String) throws -> String {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return String(decoding: try SystemFile.read("/\(here)/etc/\(name)"), as: UTF8.self)
    }

    @Test("The defaults in the comments of sluice.toml are the defaults")
    func mainFile() throws {
        let lines = try example("sluice.toml").split(separator: "\n")
        let uncommented = lines.map { line in
            line.hasPrefix("# ") && line.contains(" = ") ? line.dropFirst(2) : line
        }
        #expect(uncommented.count { $0.contains(" = ") && !$0.hasPrefix("#") } == 10)
        sandbox.write(uncommented.joined(separator: "\n"), to: "sluice.toml")
        let loaded = sandbox.load()
        #expect(loaded.problemTexts == [])
        var expected = Settings()
        expected.identity.zone = "HOST"
        expected.identity.partition = 0
        #expect(loaded.settings == expected)
    }

    @Test("The example of a connector is sound, and all but its credentials and names are defaults")
    func connector() throws {
        sandbox.connector("orders", try example("connectors.d/orders.toml.example"))
        let loaded = sandbox.load()
        #expect(loaded.problemTexts == [])
        let name = try #require(ConnectorName("orders"))
        var expected = ConnectorSettings(
            name: name, bucket: "acme-events", integrationID: IdentityRules.integrationID(for: name)
        )
        expected.credentials = CredentialSettings(
            base: .keys(
                accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretFile: "orders.secret",
                sessionTokenFile: nil))
        #expect(loaded.settings.connectors == [expected])
    }

    @Test("The example of a connector of files is sound, and its comments show the defaults")
    func exportConnector() throws {
        let text = try example("connectors.d/reports.toml.example")
        for commented in ["", "# key = ", "# on_conflict = "] {
            #expect(commented.isEmpty || text.contains("\n" + commented))
            let lines = text.split(separator: "\n").map { line in
                !commented.isEmpty && line.hasPrefix(commented) ? line.dropFirst(2) : line
            }
            sandbox.connector("reports", lines.joined(separator: "\n"))
            let loaded = sandbox.load()
            #expect(loaded.problemTexts == [])
            let name = try #require(ConnectorName("reports"))
            var expected = ConnectorSettings(
                name: name, bucket: "acme-events",
                integrationID: IdentityRules.integrationID(for: name))
            expected.kind = .dataExport
            expected.folder = "exports"
            expected.events = []
            expected.credentials = CredentialSettings(
                base: .keys(
                    accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretFile: "reports.secret",
                    sessionTokenFile: nil))
            #expect(loaded.settings.connectors == [expected])
        }
        sandbox.connector("reports", text.replacing("# remove_after", with: "remove_after"))
        #expect(sandbox.load().settings.connectors.first?.removeAfter == .seconds(4 * 3600))
    }

    @Test("Every commented line of the connector's example can be taken as it is")
    func commentedConnector() throws {
        var table = ""
        for line in try example("connectors.d/orders.toml.example").split(separator: "\n") {
            if line.hasPrefix("[") { table = line + "\n" }
            let key = line.dropFirst(2).prefix { $0 != " " }
            guard line.hasPrefix("# "), line.contains(" = "),
                key.utf8.allSatisfy({ isLowercaseOrDigit($0) || $0 == UInt8(ascii: "_") })
            else { continue }
            // These need a file, or keys beside them.
            if key == "ca_file" || key == "session_token_file" { continue }
            var text = table + line.dropFirst(2)
            if key == "kms_key_id" || key == "bucket_key_enabled" {
                text = "server_side_encryption = \"aws:kms\"\n" + text
            } else if key == "compression" {
                text = "format = \"avro\"\n" + text
            } else if key == "external_id" || key.hasPrefix("role_"), key != "role_arn" {
                text += "\nrole_arn = \"arn:aws:iam::123456789012:role/sluice\""
            }
            #expect(ConnectorProblemTests.problems(text) == [], "\(line)")
        }
    }
}
