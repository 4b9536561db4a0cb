public import Model

/// Where the daemon is to be found: `sluice.toml`, and the names of the connectors beside it.
///
/// For programs that talk to the daemon or drop event files. They go on while a connector's file is
/// wrong, and run as users who may read neither that file nor its secrets.
public struct ConfigurationOutline: Sendable {
    /// What `sluice.toml` says; no connectors.
    public var main: LoadedConfiguration
    /// Those with a file in `connectors.d`; nil where that may not be listed.
    public var connectors: [ConnectorName]?
}

extension ConfigurationLoader {
    public static func loadOutline(file: String) -> ConfigurationOutline {
        var loaded = LoadedConfiguration()
        let (directory, _) = split(file)
        readMain(file, into: &loaded)
        let listing = ConnectorDirectory.list(directory + "/connectors.d")
        let isListed = !listing.problems.contains(where: \.isPermission)
        return ConfigurationOutline(main: loaded, connectors: isListed ? listing.connectors : nil)
    }
}
