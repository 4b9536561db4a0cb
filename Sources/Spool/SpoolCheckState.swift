import Avro
import Batching
import Files
import Model

/// The directories, and the small files of state.
extension SpoolCheck {
    private static let directories = [
        SpoolLayout.incoming, SpoolLayout.active, SpoolLayout.sealed, SpoolLayout.expired,
        SpoolLayout.quarantine, SpoolLayout.connectors, SpoolLayout.ballast,
    ]
    private static let states = [
        SpoolLayout.format, SpoolLayout.identity, SpoolLayout.place, SpoolLayout.sequence,
        SpoolLayout.routing, SpoolLayout.totals, SpoolLayout.episodes, SpoolLayout.schemas,
        SpoolLayout.moved, SpoolLayout.restored,
    ]
    /// mkfs.ext4 makes it, where the spool is a file system of its own.
    private static let lostAndFound = "lost+found"

    mutating func checkRoot() throws(FileError) {
        try checkDirectory(".")
        for directory in Self.directories { try checkDirectory(directory) }
        do throws(SpoolFailure) { try SpoolTree.checkIsWhole(files) } catch {
            if case .elsewhere(let path) = error {
                tell(
                    path, "it is another file system than the spool itself, or another mount",
                    "sluiced does not start: renames and syncs would not reach it",
                    "unmount what is there, or move the whole spool")
            }
        }
        try forEachName(in: ".") { check, name throws(FileError) in
            if Self.directories.contains(name) || name == Self.lostAndFound { return }
            if Self.states.contains(name) {
                _ = try check.isOurs(name)
            } else if !check.isHalfWritten(name) {
                check.foreign(name)
            }
        }
    }

    mutating func checkDirectory(_ path: String) throws(FileError) {
        look()
        guard let status = try files.status(path) else {
            tell(path, "it is missing", "what lay in it is gone", "the next start makes it, empty")
            return
        }
        guard status.kind == .directory else {
            tell(
                path, "it is \(status.kind.rawValue) in the place of a directory",
                "sluiced does not start", "move it away")
            return
        }
        if status.owner != owner, !(path == "." && status.owner == 0) {
            tell(
                path, "it belongs to another user (ID \(status.owner))",
                "sluiced does not start: who owns it can change what lies in it",
                "chown it to user ID \(owner)")
        }
        let mode = SpoolTree.isolated(status.mode, path)
        if mode != status.mode {
            tell(
                path, "other users can change what lies in it (mode \(octal(status.mode)))",
                "they could remove or replace events", "chmod \(octal(mode)); a start does so, too")
        } else if path != ".", !path.hasPrefix(SpoolLayout.incoming), status.mode & 0o055 != 0 {
            tell(
                path, "other users can look into it (mode \(octal(status.mode)))",
                "they may be able to read events", "chmod 0700")
        }
    }

    // MARK: State

    mutating func checkState() throws(FileError) {
        let noStart = "sluiced does not start"
        try read(SpoolLayout.format, kind: "spool", noStart) {
            check, text throws(CheckedText.Fault) in
            let version: Int = try text.number("layout")
            guard version <= SpoolLayout.version else { throw .newer(version: version) }
            check.census.version = version
        }
        try read(SpoolLayout.identity, kind: "identity", noStart) {
            check, text throws(CheckedText.Fault) in
            check.census.identity = try SpoolTree.Identity(text)
        }
        try read(
            SpoolLayout.routing, kind: "routing",
            "intake does not begin while event files lie in active/"
        ) { _, text throws(CheckedText.Fault) in _ = try Routing(text) }
        try read(
            SpoolLayout.totals, kind: "totals", "intake does not begin"
        ) { check, text throws(CheckedText.Fault) in
            check.countedLosses = try Totals(text).counted
        }
        if try files.status(SpoolLayout.totals) == nil { countedLosses = 0 }
        let readEpisodes = readEpisodes
        try read(
            SpoolLayout.episodes, kind: "episodes",
            "the clocks of episodes begin anew, so events wait longer before they are given up"
        ) { _, text throws(CheckedText.Fault) in try readEpisodes(text) }
        try read(
            SpoolLayout.schemas, "an ID in a key could come to stand for two schemas"
        ) { _, bytes throws(CheckedText.Fault) in _ = try UsedSchemas(bytes) }
        try checkPlace()
        try checkOffsets()
    }

    private mutating func read(
        _ path: String, kind: String, _ meaning: String,
        _ take: (inout SpoolCheck, CheckedText) throws(CheckedText.Fault) -> Void
    ) throws(FileError) {
        try read(path, meaning) { check, bytes throws(CheckedText.Fault) in
            try take(&check, CheckedText(bytes, kind: kind))
        }
    }

    /// Reads a small file whole, and tells what is wrong with it. They are replaced by a rename, so none is ever seen
    /// half-written.
    mutating func read(
        _ path: String, _ meaning: String,
        _ take: (inout SpoolCheck, [UInt8]) throws(CheckedText.Fault) -> Void
    ) throws(FileError) {
        look()
        let bytes: [UInt8]
        do throws(FileError) {
            guard let found = try files.read(path, limit: Limits.stateBytes) else { return }
            bytes = found
        } catch {
            return try tell(path, error, meaning)
        }
        census.looked.bytes += UInt64(bytes.count)
        do throws(CheckedText.Fault) { try take(&self, bytes) } catch {
            tell(path, error.description, meaning, Self.remedy(error))
        }
    }

    static func remedy(_ fault: CheckedText.Fault) -> String {
        if case .newer = fault { return "use the sluiced that wrote it, or a newer one" }
        return "restore it from a backup, or move it away"
    }

    /// What the device or the name keeps from being read; whoever may not read it is told that elsewhere.
    func tell(_ path: String, _ error: FileError, _ meaning: String) throws(FileError) {
        if error.isRefused { throw error }
        if error.isMissing { return }
        tell(
            path, "it cannot be read (\(errorText(error.code)))", meaning,
            "see what dmesg says of the disk; restore it from a backup")
    }

    private mutating func checkPlace() throws(FileError) {
        look()
        do throws(SpoolFailure) {
            let origin = try SpoolPlace.origin(files)
            guard origin != .known else { return }
            let marker = origin == .restored ? SpoolLayout.restored : SpoolLayout.moved
            tell(
                marker, "somebody says that this spool was \(marker)",
                origin == .restored
                    ? "the next start puts all event files into quarantine/, since they may have "
                        + "been delivered"
                    : "the next start goes on with it as it is",
                "start sluiced, or remove the file if it is not so")
        } catch {
            switch error {
            case .copied:
                tell(
                    SpoolLayout.place, "the spool was copied from another place",
                    "sluiced does not start: two copies would lose events or deliver them twice",
                    "make an empty file \"moved\" in it if the other is never used again, or "
                        + "\"restored\" if it comes from a backup")
            case .file(let error):
                try tell(SpoolLayout.place, error, "sluiced does not start")
            case .damaged(_, let reason):
                tell(
                    SpoolLayout.place, reason, "sluiced does not start",
                    "restore it from a backup, or move it away")
            case .newer, .elsewhere, .foreign:
                tell(
                    SpoolLayout.place, error.description, "sluiced does not start",
                    "use the sluiced that wrote it, or a newer one")
            }
        }
    }

    private mutating func checkOffsets() throws(FileError) {
        try forEachName(in: SpoolLayout.connectors) { check, name throws(FileError) in
            if check.isHalfWritten(name) { return }
            let path = "\(SpoolLayout.connectors)/\(name)"
            let ending = ".offsets"
            guard name.hasSuffix(ending), let connector = ConnectorName(name.dropLast(ending.count))
            else { return check.foreign(path) }
            guard try check.isOurs(path) != nil else { return }
            _ = try check.offsets(of: connector)
        }
    }

    /// nil where there are none, or damaged ones, which is told.
    mutating func offsets(of connector: ConnectorName) throws(FileError) -> Offsets? {
        let path = SpoolLayout.offsets(connector)
        guard try files.status(path) != nil else { return nil }
        do throws(SpoolFailure) {
            return try Offsets(connector, microseconds: 0, files)
        } catch {
            let meaning = "nothing is lost: offsets begin anew, above all that were used"
            switch error {
            case .file(let error): try tell(path, error, meaning)
            case .damaged(_, let reason):
                tell(path, reason, meaning, "none is needed; sluiced replaces it")
            case .newer, .elsewhere, .copied, .foreign:
                tell(path, error.description, meaning, "none is needed; sluiced replaces it")
            }
            return nil
        }
    }

    mutating func checkSequence() throws(FileError) {
        look()
        do throws(SpoolFailure) {
            _ = try SequenceNumbers(above: highestNumber, files)
        } catch {
            let meaning = "intake does not begin, since no file can get a number"
            switch error {
            case .file(let error): try tell(SpoolLayout.sequence, error, meaning)
            case .damaged(let path, let reason):
                tell(path, reason, meaning, "restore it from a backup, or move it away")
            case .newer, .elsewhere, .copied, .foreign:
                tell(
                    SpoolLayout.sequence, error.description, meaning,
                    "use the sluiced that wrote it, or a newer one")
            }
        }
    }
}
