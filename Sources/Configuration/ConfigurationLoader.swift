import Avro
import Glibc
public import Model

/// Reads `sluice.toml`, and the files of `connectors.d/` and `schemas/` beside it.
///
/// It reads everything before it judges, so that one look shows all that is wrong. It blocks on
/// files and belongs on a worker's queue.
public enum ConfigurationLoader {
    /// Where a connector's objects go; with a problem in one of these there is nothing to compare.
    static let placeKeys = ["bucket", "folder", "endpoint"]

    /// Those variables of this process that a configuration depends on.
    public static func processEnvironment() -> [String: String] {
        var environment: [String: String] = [:]
        for name in ["CREDENTIALS_DIRECTORY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment
    }

    /// Reads a whole configuration.
    ///
    /// - Parameters:
    ///   - file: the path of `sluice.toml`, by whatever name.
    ///   - environment: what `processEnvironment()` returns, or a test's own.
    public static func load(file: String, environment: [String: String]) -> LoadedConfiguration {
        let (directory, _) = split(file)
        var loaded = LoadedConfiguration()
        readMain(file, into: &loaded)
        loaded.readSchemas(base: directory)

        let listing = ConnectorDirectory.list(directory + "/connectors.d")
        loaded.problems += listing.problems
        loaded.warnings += listing.warnings
        var connectors: [ConnectorSettings] = []
        var placed: [ConnectorSettings] = []
        for name in listing.connectors {
            let path = "\(directory)/connectors.d/\(name).toml"
            let findings = Findings(file: "connectors.d/\(name).toml")
            let connector = connector(
                name, path: path, identity: loaded.settings.identity, environment: environment,
                findings: findings)
            if let connector {
                SchemaRules(schemas: loaded.schemas).check(connector, findings)
                connectors.append(connector)
                if findings.areSilent(about: placeKeys) {
                    Overlap.report(connector, with: placed, findings)
                    placed.append(connector)
                }
            }
            loaded.add(findings)
        }
        loaded.settings.connectors = connectors
        return loaded
    }

    static func readMain(_ file: String, into loaded: inout LoadedConfiguration) {
        let findings = Findings(file: split(file).name)
        if let root = parse(
            file, findings, missing: "; copy the example, or name another with --config")
        {
            loaded.settings = SettingsReader(root: TableReader(root, findings: findings)).read()
            findings.reportUnknownKeys(of: root, free: [])
        }
        loaded.add(findings)
    }

    /// Reads the file of one connector, wherever it lies; its name is the connector's.
    ///
    /// The settings returned have this connector alone, and all else from `settings`.
    ///
    /// - Parameters:
    ///   - settings: what the connector is to fit into. One of its own name is left out.
    ///   - base: the directory of `sluice.toml`, beside which the schemas are.
    public static func loadConnector(
        file: String, into settings: Settings, base: String, environment: [String: String]
    ) -> LoadedConfiguration {
        let findings = Findings(file: file)
        var loaded = LoadedConfiguration()
        loaded.settings = settings
        loaded.readSchemas(base: base)
        loaded.settings.connectors = []
        if let name = ConnectorDirectory.connectorName(of: split(file).name) {
            let connector = connector(
                name, path: file, identity: settings.identity, environment: environment,
                findings: findings)
            if let connector {
                SchemaRules(schemas: loaded.schemas).check(connector, findings)
                loaded.settings.connectors = [connector]
                let others = settings.connectors.filter { $0.name != name }
                if findings.areSilent(about: placeKeys) {
                    Overlap.report(connector, with: others, findings)
                }
            }
        } else {
            findings.problem(ConnectorDirectory.nameRule)
        }
        loaded.add(findings)
        return loaded
    }

    static func connector(
        _ name: ConnectorName, path: String, identity: IdentitySettings,
        environment: [String: String], findings: Findings
    ) -> ConnectorSettings? {
        guard let root = parse(path, findings, missing: "") else { return nil }
        let reader = ConnectorReader(
            root: TableReader(root, findings: findings), name: name, identity: identity,
            environment: environment)
        let connector = reader.read()
        findings.reportUnknownKeys(of: root, free: ConnectorReader.free)
        return connector
    }

    /// - Parameter missing: what to do where there is no such file.
    private static func parse(
        _ path: String, _ findings: Findings, missing: String
    ) -> [String: Document.Value]? {
        let bytes: [UInt8]
        do throws(SystemFile.Failure) {
            bytes = try SystemFile.read(path)
        } catch {
            findings.problem(
                "cannot be read: \(error.reason)\(error.isMissing ? missing : "")",
                isPermission: error.isPermission)
            return nil
        }
        do throws(Document.SyntaxError) {
            return try Document.parse(bytes)
        } catch {
            findings.problem(error)
            return nil
        }
    }

    static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let directory = path[..<slash]
        return (
            directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...])
        )
    }
}

extension LoadedConfiguration {
    mutating func readSchemas(base: String) {
        var directory = SchemaDirectory(settings.schemas, base: base)
        directory.compare(withSpool: settings.spool.directory)
        schemas = SchemaSet(directory.schemas)
        problems += directory.problems
        warnings += directory.warnings
    }

    mutating func add(_ findings: Findings) {
        problems += findings.problems
        warnings += findings.warnings
    }
}
