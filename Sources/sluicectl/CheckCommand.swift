import ArgumentParser
import Configuration
import Glibc
import Model

/// `sluicectl check`: reads the configuration as the daemon would, and tells what it would do.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Validates the configuration, sends nothing, and tells what each connector will do.",
        discussion: """
            Exit status: 0 where all is fine, 77 where a file may not be read, 78 where the \
            configuration is wrong.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(
        help: ArgumentHelp(
            "One connector's file, also before it is installed.", valueName: "file.toml"),
        completion: Completions.configurations)
    var connectorFile: String?

    func run() throws {
        let loaded = load()
        let summaries = loaded.settings.connectors.map {
            ConnectorSummary(
                $0, identity: loaded.settings.identity, schemas: loaded.schemas)
        }
        if json {
            Output.data(report(loaded, summaries).text)
        } else {
            if loaded.problems.isEmpty { summaries.forEach { Output.data($0.block) } }
            Findings.show(loaded)
        }
        if let status = Findings.status(of: loaded) {
            if !json {
                let number = Findings.count(loaded.problems.count, "problem")
                let end = connectorFile == nil ? "; the configuration is refused as a whole" : ""
                Output.error(number + end)
            }
            throw status
        }
        if !json {
            let number = Findings.count(summaries.count, "connector")
            Output.data("configuration is fine: \(number)")
        }
    }

    private func load() -> LoadedConfiguration {
        guard let connectorFile else { return options.load() }
        if Self.isMainFile(connectorFile) {
            var named = options
            named.file = connectorFile
            return named.load()
        }
        return options.load(connectorFile: connectorFile)
    }

    /// True for a `sluice.toml` that does not lie in a `connectors.d`, where it is the connector "sluice".
    private static func isMainFile(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return parts.last == "sluice.toml" && parts.dropLast().last != "connectors.d"
    }

    private func report(
        _ loaded: LoadedConfiguration, _ summaries: [ConnectorSummary]
    ) -> JSONText {
        .object([
            ("file", .string(connectorFile ?? options.file)),
            ("fine", .boolean(loaded.problems.isEmpty)),
            ("connectors", .array(loaded.problems.isEmpty ? summaries.map(\.json) : [])),
            ("problems", .array(loaded.problems.map(Self.json))),
            ("warnings", .array(loaded.warnings.map(Self.json))),
        ])
    }

    private static func json(_ problem: ConfigurationProblem) -> JSONText {
        var members: [(String, JSONText)] = [("file", .string(problem.file))]
        switch problem.place {
        case .file: break
        case .position(let line, let column):
            members += [("line", .integer(line)), ("column", .integer(column))]
        case .key(let path): members.append(("key", .string(path)))
        }
        return .object(members + [("text", .string(problem.text))])
    }
}
