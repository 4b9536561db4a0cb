import Model

/// What may be claimed, by its name alone: event files by their ending, and any file where files go as they are.
struct ClaimRules {
    /// The connectors that take files as they are, whatever is in them.
    var exports: Set<ConnectorName> = []

    /// How a file is read.
    typealias Kind = (encoding: ActiveName.Encoding, contents: ActiveName.Contents)

    func takesFiles(_ connector: ConnectorName?) -> Bool {
        connector.map(exports.contains) == true
    }

    /// A producer's name as it stands in ours; and what is wrong with it where it should name an object, and does not.
    func original(_ name: String, _ connector: ConnectorName?) -> (text: String, fault: String?) {
        guard takesFiles(connector) else { return (NameEscape.escape(name), nil) }
        do throws(ExportName.Fault) {
            return (try ExportName(fileName: name).fileName, nil)
        } catch {
            return (NameEscape.markInvalid(NameEscape.escape(name)), "its name \(error)")
        }
    }

    /// nil where it is not read.
    func kind(_ original: String, _ connector: ConnectorName?) -> Kind? {
        guard takesFiles(connector) else {
            return ActiveName.encoding(ofFile: original).map { ($0, .events(from: 0)) }
        }
        return (try? ExportName(fileName: original)) == nil ? nil : (.plain, .export)
    }

    /// Why `kind` is nil, where the fault itself was found by an earlier process.
    func fault(_ connector: ConnectorName?) -> String {
        takesFiles(connector)
            ? "its name names no object"
            : "its name does not end in .jsonl, .ndjson or .json, with or without .gz"
    }
}
