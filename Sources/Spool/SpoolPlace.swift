import Files
import Model

/// Where a spool is known to lie, so that a copy of it is told from the spool itself.
///
/// A spool that was restored from a backup believes that its event files were not delivered; but since the backup was
/// made they may have been, under keys that it does not know, and it would deliver them again. Two copies of a spool would
/// give their objects the same keys. Neither can be seen in the files' contents. So `place` notes which file `identity` is
/// (statx(2): when it was made, or its inode where the file system does not say): a copy of it is another file. Who
/// copies a spool has to say what it is, by an empty file in it:
///
/// - `moved`: this is the only one, and was copied while sluiced was not running. It goes on as it is.
/// - `restored`: it is older than the one that was worked on. What was sealed keeps its keys, so it is delivered or
///   found to be there already. Event files are set aside, for a person to decide; offsets begin anew.
///
/// What copies whole disks (a snapshot, an image of a machine) copies this as well; then the file `restored` has to be made
/// without being asked for.
///
/// ```
/// sluice place 1
/// inode: 1573
/// born: 1795370000123456789
/// checksum: 0123456789abcdef
/// ```
struct SpoolPlace: Equatable {
    var inode: UInt64
    var born: UInt64?

    /// What is known of the spool that lies here.
    enum Origin: Equatable {
        case known, moved, restored
    }

    /// Finds out where this spool comes from; throws where a person has to say it.
    static func origin(_ files: any FileSystem) throws(SpoolFailure) -> Origin {
        let (isMoved, isRestored) = try onFile { () throws(FileError) in
            (
                try files.status(SpoolLayout.moved) != nil,
                try files.status(SpoolLayout.restored) != nil
            )
        }
        if isRestored { return .restored }
        if isMoved { return .moved }
        guard let text = try StateFile.read(SpoolLayout.place, kind: "place", files),
            let here = try onFile({ () throws(FileError) in try current(files) })
        else { return .known }
        let kept = try StateFile.value(SpoolLayout.place) { () throws(CheckedText.Fault) in
            try SpoolPlace(text)
        }
        guard kept.isSame(as: here) else { throw .copied }
        return .known
    }

    /// Says from now on that the spool lies here, and forgets what a person said. What they asked for is done by then.
    static func keep(_ files: any FileSystem) throws(FileError) {
        guard let here = try current(files) else { return }
        let bytes = here.text.bytes
        if try files.read(SpoolLayout.place) != bytes {
            try files.replace(SpoolLayout.place, with: bytes, in: ".")
        }
        for marker in [SpoolLayout.moved, SpoolLayout.restored]
        where try files.status(marker) != nil {
            try files.remove(marker)
            try files.syncDirectory(".")
        }
    }

    private static func current(_ files: any FileSystem) throws(FileError) -> SpoolPlace? {
        try files.place(SpoolLayout.identity).map {
            SpoolPlace(inode: $0.inode, born: $0.born.flatMap { UInt64(exactly: $0) })
        }
    }

    /// Some file systems give files other inodes at each mount, but a time of birth stays.
    private func isSame(as other: SpoolPlace) -> Bool {
        if let born, let otherBorn = other.born { return born == otherBorn }
        return inode == other.inode
    }

    private var text: CheckedText {
        var text = CheckedText(kind: "place")
        text.add("inode", inode)
        if let born { text.add("born", born) }
        return text
    }
}

extension SpoolPlace {
    init(_ text: CheckedText) throws(CheckedText.Fault) {
        inode = try text.number("inode")
        born = text.lines.contains { $0.key == "born" } ? try text.number("born") : nil
    }
}
