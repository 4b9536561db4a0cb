import Files
import Model

/// Whole files that are kept because they cannot be taken, or not to their end.
enum Quarantine {
    /// A hyphen where our own files have a dot: a producer may call a file `reason` or `rejects`.
    static func path(number: UInt64, original: String) -> String {
        "\(SpoolLayout.quarantine)/\(hexadecimal(number, width: 16))-\(original)"
    }

    /// Moves a file there, with the reason beside it; answers where it is.
    static func keep(
        _ from: String, number: UInt64, original: String, shown: String, reason: String,
        _ files: any FileSystem
    ) throws(FileError) -> String {
        let path = path(number: number, original: original)
        var text = CheckedText(kind: "quarantine")
        text.add("file", shown)
        text.add("reason", reason)
        try files.write(
            "\(SpoolLayout.quarantine)/\(hexadecimal(number, width: 16)).reason", text.bytes)
        try files.rename(from, to: path)
        return path
    }
}
