import Model

/// Two connectors of one kind must not write below each other's folder in one bucket.
///
/// Readers of the one would find the objects of the other there. Whether two names, an alias and a
/// bucket say, mean one bucket is not known here.
enum Overlap {
    /// Reports the first of the others with which the connector shares a folder or a part of one.
    static func report(
        _ connector: ConnectorSettings, with others: [ConnectorSettings], _ findings: Findings
    ) {
        for other in others
        where other.kind == connector.kind && other.bucket == connector.bucket
            && store(of: other) == store(of: connector)
        {
            guard let overlap = FolderRules.overlap(connector.folder, other.folder) else {
                continue
            }
            let relation =
                switch overlap {
                case .equal: "is the folder of"
                case .firstInsideSecond: "lies inside \(place(of: other)), the folder of"
                case .secondInsideFirst: "holds \(place(of: other)), the folder of"
                }
            findings.problem(
                ["folder"],
                "\(place(of: connector)) in bucket \(quoted(connector.bucket)) \(relation) "
                    + "connector \(quoted(other.name.description)); give each a folder of its own")
            return
        }
    }

    private static func place(of connector: ConnectorSettings) -> String {
        connector.folder.isEmpty ? "the root" : quoted(connector.folder)
    }

    private static func store(of connector: ConnectorSettings) -> String {
        guard let endpoint = connector.endpoint else { return "AWS" }
        // An endpoint in the settings has been read as an origin before.
        return (try? HTTPOrigin(endpoint))?.canonical ?? endpoint
    }
}
