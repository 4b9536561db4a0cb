import Model

/// Two connectors of one kind must not write below each other's folder in one bucket, nor may exports go where Currents
/// put their objects.
///
/// Readers of the one would find the objects of the other there. Whether two names, an alias and a
/// bucket say, mean one bucket is not known here.
enum Overlap {
    /// Reports the first of the others with which the connector shares a folder or a part of one.
    static func report(
        _ connector: ConnectorSettings, with others: [ConnectorSettings], _ findings: Findings
    ) {
        for other in others
        where other.bucket == connector.bucket && store(of: other) == store(of: connector) {
            guard other.kind == connector.kind else {
                if reportMixture(of: connector, other, findings) { return }
                continue
            }
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

    /// Reports that all objects of the one, which takes files, would go into the other's folder.
    ///
    /// Where only some would, because of how they are called, each is looked at when its key is made.
    private static func reportMixture(
        of connector: ConnectorSettings, _ other: ConnectorSettings, _ findings: Findings
    ) -> Bool {
        let isExport = connector.kind == .dataExport
        let (export, currents) = isExport ? (connector, other) : (other, connector)
        let folder = fixedFolder(of: export)
        switch FolderRules.overlap(folder, currents.folder) {
        case .equal, .firstInsideSecond: break
        case .secondInsideFirst, nil: return false
        }
        let text =
            isExport
            ? "files go to \(place(folder)) in bucket \(quoted(connector.bucket)), which belongs to "
                + "connector \(quoted(other.name.description)), of kind \"currents\""
            : "\(place(of: connector)) in bucket \(quoted(connector.bucket)) is where connector "
                + "\(quoted(other.name.description)) puts files"
        findings.problem(["folder"], text + "; give each a folder of its own")
        return true
    }

    /// The folder in which all objects of an export connector lie, by whole segments.
    private static func fixedFolder(of export: ConnectorSettings) -> String {
        let fixed = export.keyTemplate.prefix.split(
            separator: "/", omittingEmptySubsequences: false
        ).dropLast().joined(separator: "/")
        return [export.folder, fixed].filter { !$0.isEmpty }.joined(separator: "/")
    }

    private static func place(of connector: ConnectorSettings) -> String {
        place(connector.folder)
    }

    private static func place(_ folder: String) -> String {
        folder.isEmpty ? "the root" : quoted(folder)
    }

    private static func store(of connector: ConnectorSettings) -> String {
        guard let endpoint = connector.endpoint else { return "AWS" }
        // An endpoint in the settings has been read as an origin before.
        return (try? HTTPOrigin(endpoint))?.canonical ?? endpoint
    }
}
