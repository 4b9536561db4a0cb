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
