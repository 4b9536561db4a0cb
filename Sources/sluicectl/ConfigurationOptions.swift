import ArgumentParser
import Configuration
import Model

/// The options that every command has.
struct ConfigurationOptions: ParsableArguments {
    static let defaultFile = "/etc/sluice/sluice.toml"

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration; connectors.d and schemas lie beside it.", valueName: "file"),
        completion: Completions.configurations)
    var file = defaultFile

    func load() -> LoadedConfiguration {
        ConfigurationLoader.load(
            file: file, environment: ConfigurationLoader.processEnvironment())
    }

    /// Reads the file of one connector, installed or not, beside the others that are.
    func load(connectorFile: String) -> LoadedConfiguration {
        let installed = load()
        var settings = installed.settings
        // A broken neighbour is not this file's fault, and what it says about its folder may be wrong.
        if !installed.problems.isEmpty { settings.connectors = [] }
        return ConfigurationLoader.loadConnector(
            file: connectorFile, into: settings, base: directory,
            environment: ConfigurationLoader.processEnvironment())
    }

    /// The settings of a connector that is named, or whose file is; and what is configured for all.
    func loadConnector(
        _ nameOrFile: String
    ) throws -> (connector: ConnectorSettings, loaded: LoadedConfiguration) {
        var file = nameOrFile
        if !nameOrFile.hasSuffix(".toml"), !nameOrFile.contains("/") {
            let known = try loadOutline().connectors
            do throws(Refusal) {
                let name = try SubmitCommand.connector(nameOrFile, among: known)
                file = "\(directory)/connectors.d/\(name).toml"
            } catch {
                throw error.show()
            }
        }
        let loaded = load(connectorFile: file)
        try Findings.refuse(loaded)
        guard let connector = loaded.settings.connectors.first else {
            throw Refusal("\(file): no connector", .badConfiguration).show()
        }
        return (connector, loaded)
    }

    /// Where `connectors.d` lies.
    private var directory: String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return String(file[..<slash])
    }

    /// What `sluice.toml` says, or what is wrong with it on stderr and the status that says so.
    ///
    /// A connector's file may be wrong: the daemon goes on with the one that it read before.
    func loadOutline() throws -> ConfigurationOutline {
        let outline = ConfigurationLoader.loadOutline(file: file)
        try Findings.refuse(outline.main)
        return outline
    }
}
