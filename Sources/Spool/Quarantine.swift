import Files
import Model

/// Whole files that are kept because they cannot be taken, or not to their end.
enum Quarantine {
    /// Moves a file there, with the reason beside it; answers where it is.
    ///
    /// - Parameters:
    ///   - keptFrom: where what was not taken begins in its text; nil: it is not to be read again.
    ///   - isExport: it was to become an object as it is.
    static func keep(
        _ from: String, number: UInt64, connector: ConnectorName?, original: String,
        keptFrom: UInt64?, isExport: Bool = false, reason: String, _ files: any FileSystem
    ) throws(FileError) -> String {
        let name = QuarantineName(
            number: number,
            kind: .file(
                .init(
                    connector: connector, from: isExport ? nil : keptFrom, original: original,
                    isExport: isExport)))
        var text = CheckedText(kind: "quarantine")
        text.add("file", NameEscape.shown(connector, original))
        text.add("reason", reason)
        try files.write(reasonPath(number), text.bytes)
        try files.rename(from, to: name.path)
        return name.path
    }

    static func reasonPath(_ number: UInt64) -> String {
        QuarantineName(number: number, kind: .reason).path
    }

    /// Why a file is kept; nil where that is not known any more.
    static func reason(_ number: UInt64, _ files: any FileSystem) -> String? {
        guard
            let bytes = (try? files.read(reasonPath(number), limit: Limits.reasonBytes)) ?? nil
        else { return nil }
        return try? CheckedText(bytes, kind: "quarantine").value("reason")
    }
}
