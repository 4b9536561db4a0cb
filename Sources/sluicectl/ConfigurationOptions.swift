import ArgumentParser
import Configuration

/// The options that every command has.
struct ConfigurationOptions: ParsableArguments {
    static let defaultFile = "/etc/sluice/sluice.toml"

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration; connectors.d lies beside it.", valueName: "file"))
    var file = defaultFile

    func load() -> LoadedConfiguration {
        ConfigurationLoader.load(
            file: file, environment: ConfigurationLoader.processEnvironment())
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
