public import Files
import Model

/// Makes the spool's directories, and reads or makes what says whose spool it is.
public enum SpoolTree {
    /// Where this spool stands in object keys, fixed when it was made.
    public struct Identity: Sendable, Equatable {
        public var zone: String
        public var partition: Int
    }

    /// Prepares the tree, which the caller has locked. `host` names the zone of a spool that is made now.
    ///
    /// - Parameter closed: is told of each directory that others could change, and that is closed to them now.
    public static func prepare(
        _ files: any FileSystem, host: String, closed: (String) -> Void = { _ in }
    ) throws(SpoolFailure) -> Identity {
        try keepAlone(".", files, closed)
        var version = 0
        if let format = try StateFile.read(SpoolLayout.format, kind: "spool", files) {
            version = try StateFile.value(SpoolLayout.format) {
                () throws(CheckedText.Fault) in try format.number("layout")
            }
            guard version <= SpoolLayout.version else {
                throw .newer(path: SpoolLayout.format, version: version)
            }
        }
        // Set-group-ID and sticky, not listable: producers drop files here and see nobody else's.
        try onFile { () throws(FileError) in
            try files.makeDropDirectory(SpoolLayout.incoming)
        }
        try keepAlone(SpoolLayout.incoming, files, closed)
        let own = [
            SpoolLayout.active, SpoolLayout.sealed, SpoolLayout.expired,
            SpoolLayout.quarantine, SpoolLayout.connectors,
        ]
        for directory in own {
            try onFile { () throws(FileError) in
                try files.makeDirectory(directory, mode: 0o700)
            }
            try keepAlone(directory, files, closed)
        }
        // An older layout is a part of this one; from here on an older program must not read it any more.
        if version < SpoolLayout.version {
            var text = CheckedText(kind: "spool")
            text.add("layout", SpoolLayout.version)
            try onFile { () throws(FileError) in
                try StateFile.write(SpoolLayout.format, text, in: ".", files)
            }
        }
        return try identity(files, host: host)
    }

    /// Refuses a directory that another user owns, or that is none: its owner, or whoever put a link there, could
    /// change what lies in it. One of ours in which others could do so is closed to them.
    private static func keepAlone(
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
    private static func isolated(_ mode: UInt32, _ path: String) -> UInt32 {
        let othersWrite: UInt32 = 0o022
        let sticky: UInt32 = 0o1000
        if mode & othersWrite == 0 || path == SpoolLayout.incoming && mode & sticky != 0 {
            return mode
        }
        return path == SpoolLayout.incoming ? mode | sticky : mode & ~othersWrite
    }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }

    private static func identity(
        _ files: any FileSystem, host: String
    ) throws(SpoolFailure) -> Identity {
        let path = SpoolLayout.identity
        if let text = try StateFile.read(path, kind: "identity", files) {
            return try StateFile.value(path) { () throws(CheckedText.Fault) in
                Identity(zone: try text.value("zone"), partition: try text.number("partition"))
            }
        }
        let identity = Identity(zone: zone(ofHost: host), partition: 0)
        var text = CheckedText(kind: "identity")
        text.add("zone", identity.zone)
        text.add("partition", identity.partition)
        try onFile { () throws(FileError) in
            try StateFile.write(path, text, in: ".", files)
        }
        return identity
    }

    /// A host's name, with whatever does not belong into a key replaced.
    private static func zone(ofHost host: String) -> String {
        let bytes = host.utf8.prefix(64).map { byte in
            EventType.isValid(String(UnicodeScalar(byte))) || byte == UInt8(ascii: ".")
                ? byte : UInt8(ascii: "-")
        }
        return bytes.isEmpty ? "local" : String(decoding: bytes, as: UTF8.self)
    }
}
