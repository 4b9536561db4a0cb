/// What `sluice.toml` says.
public struct Settings: Sendable, Equatable {
    public var spool = SpoolSettings()
    public var identity = IdentitySettings()
    public var http = HTTPSettings()
    public var log = LogSettings()
    public var schemas = SchemaSettings()
    /// The connectors, by name in ascending order.
    public var connectors: [ConnectorSettings] = []

    public init() {}
}

public struct SpoolSettings: Sendable, Equatable {
    public var directory = "/var/spool/sluice"
    public var minimumFree = MinimumFree.percent(5)
    public var unmatched = Unmatched.quarantine

    public init() {}
}

/// The free space below which intake waits.
public enum MinimumFree: Sendable, Equatable {
    case percent(Int)
    case bytes(ByteCount)

    /// How much that is of a file system of a size in bytes.
    public func amount(of total: UInt64) -> UInt64 {
        switch self {
        case .percent(let percent): total / 100 * UInt64(percent)
        case .bytes(let bytes): bytes.bytes
        }
    }
}

/// What becomes of an event that no connector wants.
public enum Unmatched: String, Sendable, Equatable, CaseIterable {
    case quarantine, discard
}

/// Where this daemon stands in object keys.
public struct IdentitySettings: Sendable, Equatable {
    public var cluster = "local"
    /// nil: the host name when the spool was made, as kept in the spool's `identity`.
    public var zone: String?
    /// nil: 0, or what the spool's `identity` says.
    public var partition: Int?

    public init() {}
}

public struct HTTPSettings: Sendable, Equatable {
    /// At least one, no two alike, and at most one Unix socket: sluicectl asks that.
    public var listen: [ListenAddress] = [.unix(path: "/run/sluice/http.sock")]

    public init() {}
}

/// Where the schemas of event types lie: files `<event type>.avsc`.
public struct SchemaSettings: Sendable, Equatable {
    /// Absolute, or beside `sluice.toml`. Of two files for one event type, the one in the earlier directory counts.
    public var directories = ["schemas", "/usr/share/sluice/schemas"]

    public init() {}
}

public struct LogSettings: Sendable, Equatable {
    /// How lines look where stderr is not the journal.
    public enum Format: String, Sendable, Equatable, CaseIterable { case text, json }
    /// The least severe lines that are written.
    public enum Level: String, Sendable, Equatable, CaseIterable {
        case debug, info, notice, warning, err
    }

    public var format = Format.text
    public var level = Level.info

    public init() {}
}
