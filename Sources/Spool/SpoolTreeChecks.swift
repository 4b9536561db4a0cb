import Files
import Model

/// What a spool must be before anything in it is believed: on one file system, and sluiced's alone.
extension SpoolTree {
    /// All of a spool is on one file system: event files are renamed through it, and one sync is for all of it.
    static func checkIsWhole(_ files: any FileSystem) throws(SpoolFailure) {
        let parents = [SpoolLayout.incoming, SpoolLayout.sealed, SpoolLayout.expired]
        let single = [
            SpoolLayout.active, SpoolLayout.quarantine, SpoolLayout.connectors, SpoolLayout.ballast,
        ]
        let root = try onFile { () throws(FileError) in try files.place(".") }
        for parent in parents + single {
            var directories = [parent]
            if parents.contains(parent) {
                directories += try onFile { () throws(FileError) in
                    try files.names(in: parent).filter { ConnectorName($0) != nil }
                }.map { "\(parent)/\($0)" }
            }
            for directory in directories {
                // A producer's file may have gone meanwhile.
                guard let place = try onFile({ () throws(FileError) in try files.place(directory) })
                else { continue }
                if place.device == root?.device, place.mount == root?.mount { continue }
                throw .elsewhere(path: directory)
            }
        }
    }

    /// Refuses a directory that another user owns, or that is none: its owner, or whoever put a link there, could
    /// change what lies in it. One of ours in which others could do so is closed to them.
    static func keepAlone(
        _ path: String, _ files: any FileSystem, _ closed: (String) -> Void
    ) throws(SpoolFailure) {
        let found = try onFile { () throws(FileError) in try files.status(path) }
        guard let status = found else { return }
        guard status.kind == .directory else {
            throw .foreign(
                path: path,
                reason: "is \(status.kind.rawValue) in the place of a directory; move it away")
        }
        // Whoever administers the machine may own the spool itself.
        guard status.owner == files.user || path == "." && status.owner == 0 else {
            throw .foreign(
                path: path,
                reason: "belongs to another user (ID \(status.owner)), who can change what lies "
                    + "there; give it to the user of sluiced (ID \(files.user)), or move it away")
        }
        let mode = isolated(status.mode, path)
        guard mode != status.mode else { return }
        do throws(FileError) { try files.setMode(path, mode) } catch {
            throw .foreign(
                path: path,
                reason: "can be changed by other users (mode \(octal(status.mode))), and its mode "
                    + "cannot be set (\(errorText(error.code))); give it mode \(octal(mode))")
        }
        closed(
            "\(path) in the spool could be changed by other users (mode \(octal(status.mode))); it "
                + "has mode \(octal(mode)) from now on")
    }

    /// A mode that lets nobody else change names in a directory that are not their own.
    static func isolated(_ mode: UInt32, _ path: String) -> UInt32 {
        let othersWrite: UInt32 = 0o022
        let sticky: UInt32 = 0o1000
        if mode & othersWrite == 0 || path == SpoolLayout.incoming && mode & sticky != 0 {
            return mode
        }
        return path == SpoolLayout.incoming ? mode | sticky : mode & ~othersWrite
    }
}

/// Rights as chmod(1) takes them: `0700`.
func octal(_ mode: UInt32) -> String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
}
