public import Files
import Model

/// Makes the spool's directories, and reads or makes what says whose spool it is.
public enum SpoolTree {
    /// Where this spool stands in object keys, fixed when it was made.
    public struct Identity: Sendable, Equatable {
        public var zone: String
        public var partition: Int
    }

    /// What a spool is found to be at a start.
    public struct Preparation: Sendable, Equatable {
        public var identity: Identity
        /// Event files that were set aside since the spool was restored from a backup; nil: it was not.
        public var setAside: Int?
    }

    /// Prepares the tree, which the caller has locked. `host` names the zone of a spool that is made now.
    ///
    /// - Parameter closed: is told of each directory that others could change, and that is closed to them now.
    public static func prepare(
        _ files: any FileSystem, host: String, closed: (String) -> Void = { _ in }
    ) throws(SpoolFailure) -> Preparation {
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
            SpoolLayout.quarantine, SpoolLayout.connectors, SpoolLayout.ballast,
        ]
        for directory in own {
            try onFile { () throws(FileError) in
                try files.makeDirectory(directory, mode: 0o700)
            }
            try keepAlone(directory, files, closed)
        }
        try checkIsWhole(files)
        // An older layout is a part of this one; from here on an older program must not read it any more.
        if version < SpoolLayout.version {
            var text = CheckedText(kind: "spool")
            text.add("layout", SpoolLayout.version)
            try onFile { () throws(FileError) in
                try StateFile.write(SpoolLayout.format, text, in: ".", files)
            }
        }
        let identity = try identity(files, host: host)
        let origin = try SpoolPlace.origin(files)
        let setAside = origin == .restored ? try RestoredSpool.setAside(files) : nil
        try onFile { () throws(FileError) in try SpoolPlace.keep(files) }
        return Preparation(identity: identity, setAside: setAside)
    }

    private static func identity(
        _ files: any FileSystem, host: String
    ) throws(SpoolFailure) -> Identity {
        let path = SpoolLayout.identity
        if let text = try StateFile.read(path, kind: "identity", files) {
            return try StateFile.value(path) { () throws(CheckedText.Fault) in try Identity(text) }
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

extension SpoolTree.Identity {
    init(_ text: CheckedText) throws(CheckedText.Fault) {
        self.init(zone: try text.value("zone"), partition: try text.number("partition"))
    }
}
