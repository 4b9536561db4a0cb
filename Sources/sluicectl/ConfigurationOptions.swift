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

    /// The configuration, or what is wrong with it on stderr and the status that says so.
    ///
    /// For commands that only work with a sound configuration.
    func loadSound() throws -> LoadedConfiguration {
        let loaded = load()
        try Findings.refuse(loaded)
        return loaded
    }
}
