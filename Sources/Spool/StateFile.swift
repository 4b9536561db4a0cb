public import Files
import Model

/// Why the spool cannot go on.
public enum SpoolFailure: Error, Sendable, Equatable {
    /// The file system refused; trying again may help.
    case file(FileError)
    /// A file of the spool is not what it must be; a person has to look.
    case damaged(path: String, reason: String)
    /// The spool was written by a newer version of sluiced.
    case newer(path: String, version: Int)
    /// A directory of the spool lies on another file system than the spool: no rename goes there, and no sync reaches it.
    case elsewhere(path: String)
    /// The spool is a copy of another, and nobody has said which it is: see `SpoolPlace`.
    case copied
    /// A place of the spool is not sluiced's alone.
    case foreign(path: String, reason: String)
}

extension SpoolFailure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .file(let error): error.description
        case .damaged(let path, let reason):
            "\(path) in the spool is damaged (\(reason)); restore it from a backup, or move it away"
        case .newer(let path, let version):
            "\(path) in the spool has version \(version), which only a newer sluiced can read"
        case .elsewhere(let path):
            "\(path) in the spool is another file system than the spool itself, or another mount; all "
                + "of a spool must be one, so unmount what is there, or move the whole spool"
        case .copied:
            "it was copied from another place, and two spools that are one would lose events or "
                + "deliver them twice. If it was moved here, and the other is never used again, "
                + "make an empty file \"moved\" in it. If it comes from a backup, make one that is "
                + "named \"restored\": what had no key yet is then set aside in quarantine/, since "
                + "it may have been delivered after the backup was made"
        case .foreign(let path, let reason): "\(path) in the spool \(reason)"
        }
    }

    public var isDiskFull: Bool {
        if case .file(let error) = self { return error.isDiskFull }
        return false
    }
}

/// Reads and replaces the spool's small state files.
enum StateFile {
    /// nil where there is none.
    static func read(
        _ path: String, kind: String, _ files: some FileSystem
    ) throws(SpoolFailure) -> CheckedText? {
        guard
            let bytes = try onFile({ () throws(FileError) in
                try files.read(path, limit: Limits.stateBytes)
            })
        else { return nil }
        return try value(path) { () throws(CheckedText.Fault) in
            try CheckedText(bytes, kind: kind)
        }
    }

    static func write(
        _ path: String, _ text: CheckedText, in directory: String, _ files: some FileSystem
    ) throws(FileError) {
        try files.replace(path, with: text.bytes, in: directory)
    }

    /// Turns what is wrong with a text into what is wrong with its file.
    static func value<Value>(
        _ path: String, _ body: () throws(CheckedText.Fault) -> Value
    ) throws(SpoolFailure) -> Value {
        do { return try body() } catch {
            if case .newer(let version) = error { throw .newer(path: path, version: version) }
            throw .damaged(path: path, reason: error.description)
        }
    }
}

/// Runs file operations where a spool's failure is what the caller throws.
func onFile<Value>(_ body: () throws(FileError) -> Value) throws(SpoolFailure) -> Value {
    do { return try body() } catch { throw .file(error) }
}
