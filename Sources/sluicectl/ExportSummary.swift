import Glibc
import Model

/// What a connector of kind "data-export" will do with files.
struct ExportSummary {
    private let connector: ConnectorSettings

    init(_ connector: ConnectorSettings) {
        self.connector = connector
    }

    /// A label and a text for each thing worth knowing.
    var lines: [(String, String)] {
        var lines = [
            (
                "files",
                "\(example.name.fileName) in incoming/\(connector.name)/ becomes that object, as it is"
            )
        ]
        if connector.keyTemplate != .standard {
            lines.append(("key", connector.keyTemplate.description))
        }
        lines.append(("conflict", conflictText))
        if let time = connector.removeAfter {
            lines.append(("removal", "an object is deleted \(time.text) after it was stored"))
        }
        return lines
    }

    var members: [(String, JSONText)] {
        [
            ("key", .string(connector.keyTemplate.description)),
            ("on_conflict", .string(connector.onConflict.rawValue)),
            (
                "remove_after_seconds",
                connector.removeAfter.map { .integer(Int($0.components.seconds)) } ?? .null
            ),
        ]
    }

    /// The key of a file with a directory before its name, from now.
    var exampleKey: String {
        ObjectAddress(of: example, under: connector).key
    }

    private var example: ExportFile {
        guard let name = try? ExportName(path: "2026/11/report.csv") else {
            preconditionFailure("the example is a name")
        }
        return ExportFile(
            connector: connector.name, name: name, modified: Int64(time(nil)) * 1_000_000_000,
            size: 0)
    }

    private var conflictText: String {
        switch connector.onConflict {
        case .refuse: "a file whose key another object has is held, and the journal says so"
        case .rename: "a file whose key another object has gets a key beside it"
        case .overwrite: "a file replaces the object that has its key"
        }
    }
}
