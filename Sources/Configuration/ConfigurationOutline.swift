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
    /// Where a connector's objects go, by its file beside `sluice.toml`; nil where that may not be read, or says nothing
    /// that can be used of it.
    ///
    /// Whether the daemon goes by the same, and whether the connector's secrets may be read, is not looked at.
    public static func loadDestination(_ name: ConnectorName, beside file: String)
        -> ConnectorSettings?
    {
        let findings = Findings(file: "connectors.d/\(name).toml")
        let connector = connector(
            name, path: "\(split(file).directory)/connectors.d/\(name).toml",
            identity: IdentitySettings(), environment: [:], findings: findings)
        return findings.areSilent(about: ["kind", "key"] + placeKeys) ? connector : nil
    }

    public static func loadOutline(file: String) -> ConfigurationOutline {
        var loaded = LoadedConfiguration()
        let (directory, _) = split(file)
        readMain(file, into: &loaded)
        let listing = ConnectorDirectory.list(directory + "/connectors.d")
        let isListed = !listing.problems.contains(where: \.isPermission)
        return ConfigurationOutline(main: loaded, connectors: isListed ? listing.connectors : nil)
    }
}
