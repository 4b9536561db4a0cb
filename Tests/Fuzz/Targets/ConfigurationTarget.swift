import Avro
import Model

@testable import Configuration

/// Arbitrary bytes as `sluice.toml` or as the file of a connector. What is wrong in it is told with its place, in one line
/// that a terminal may be shown; what is right means the same when it is read again.
enum ConfigurationTarget {
    private static let environment = ["CREDENTIALS_DIRECTORY": "/run/credentials/sluiced.service"]
    private static let name = ConnectorName("orders")!

    /// Far above what a terminal shows of any line of ours.
    private static let longestLine = 8192

    static func fault(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        let text = Array(bytes.dropFirst())
        let findings = Findings(file: "file.toml")
        let root: [String: Document.Value]
        do throws(Document.SyntaxError) {
            root = try Document.parse(text)
            let again = try Document.parse(text)
            // No number equals NaN, which a text can be read as.
            guard root == again || text.contains(UInt8(ascii: "n")) else {
                return "read again, it says something else"
            }
        } catch {
            findings.problem(error)
            return fault(error, text) ?? fault(in: findings)
        }
        if first & 1 == 0 {
            let settings = SettingsReader(root: TableReader(root, findings: findings)).read()
            findings.reportUnknownKeys(of: root, free: [])
            return fault(in: findings) ?? fault(settings)
        }
        let reader = ConnectorReader(
            root: TableReader(root, findings: findings), name: name, identity: IdentitySettings(),
            environment: environment)
        let connector = reader.read()
        findings.reportUnknownKeys(of: root, free: ConnectorReader.free)
        SchemaRules(schemas: SchemaSet()).check(connector, findings)
        Overlap.report(connector, with: [connector], findings)
        return fault(in: findings) ?? (findings.problems.isEmpty ? fault(connector) : nil)
    }

    /// A place is one that an editor can go to: behind the last character of a line at most.
    private static func fault(_ error: Document.SyntaxError, _ text: [UInt8]) -> String? {
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard (1...lines.count).contains(error.line) else {
            return "line \(error.line) of \(lines.count)"
        }
        // Bytes, which are at least as many as characters.
        guard (1...lines[error.line - 1].count + 2).contains(error.column) else {
            return "column \(error.column) of \(lines[error.line - 1].count)"
        }
        return nil
    }

    private static func fault(in findings: Findings) -> String? {
        for finding in findings.problems + findings.warnings {
            let line = finding.description
            guard !finding.text.isEmpty, line.utf8.count <= longestLine else {
                return "\(line.utf8.count) bytes of fault"
            }
            if line.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                return "a fault with control characters"
            }
        }
        return nil
    }

    private static func fault(_ settings: Settings) -> String? {
        guard settings.spool.directory.hasPrefix("/") else { return "a relative path" }
        for address in settings.http.listen {
            guard (try? ListenAddress(address.description)) == address else {
                return "an address that is not what it says"
            }
        }
        return nil
    }

    private static func fault(_ connector: ConnectorSettings) -> String? {
        guard !connector.bucket.isEmpty, connector.batch.maxEvents > 0,
            connector.expireAfter >= .seconds(1)
        else { return "settings that cannot be" }
        let key = ObjectKey(
            folder: connector.folder, cluster: "c", integrationID: connector.integrationID,
            zone: "z", partition: 0, schemaID: .max
        ).text(
            eventType: "t", hour: Hour(unixSeconds: 0), offset: .max,
            suffix: connector.format.suffix)
        guard key.utf8.count <= ObjectKey.longest else { return "a key of \(key.utf8.count)" }
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { ["", ".", ".."].contains($0) }),
            !key.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return "a key that leaves its folder, or has control characters" }
        return nil
    }
}
