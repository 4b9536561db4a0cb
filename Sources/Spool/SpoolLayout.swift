import Avro
public import Model

/// Where things lie in the spool. A file's state is the directory it lies in.
///
/// ```
/// incoming/            event files, dropped by producers     incoming/<connector>/ likewise, for one connector
/// active/              claimed files, until every event in them is sealed; exports, until they are sealed themselves
/// sealed/<connector>/  <batch>.object and its <batch>.envelope, the seal; see SealedName for the others
/// expired/<connector>/ <batch>.object with its envelope, <batch>.<number>.archived
/// quarantine/          what was refused: events, or files whole with their reasons, see QuarantineName
/// connectors/          <connector>.offsets
/// ballast/             room that a full disk gives back, see Ballast
/// format identity place sequence routing totals episodes
/// moved restored       empty, made by a person who says where this spool comes from, see SpoolPlace
/// ```
enum SpoolLayout {
    static let incoming = "incoming"
    static let active = "active"
    static let sealed = "sealed"
    static let expired = "expired"
    static let quarantine = "quarantine"
    static let connectors = "connectors"
    static let format = "format"
    static let ballast = "ballast"
    static let identity = "identity"
    static let place = "place"
    static let moved = "moved"
    static let restored = "restored"
    static let sequence = "sequence"
    static let routing = "routing"
    static let totals = "totals"
    static let episodes = "episodes"
    static let schemas = UsedSchemas.file

    /// The version of this layout. A newer one is refused. 2 came with losses: a program that does not know them would
    /// read their events again. 3 came with retries from quarantine: one that does not know their names in `active/`
    /// would let go of what says how far their events are sealed. 4 came with exports: one that does not know their names
    /// in `active/` would take their objects for lost.
    static let version = 4

    static func incoming(_ connector: ConnectorName) -> String { "\(incoming)/\(connector)" }
    static func sealed(_ connector: ConnectorName) -> String { "\(sealed)/\(connector)" }
    static func expired(_ connector: ConnectorName) -> String { "\(expired)/\(connector)" }
    static func offsets(_ connector: ConnectorName) -> String {
        "\(connectors)/\(connector).offsets"
    }

    static func object(_ batch: BatchID) -> String {
        "\(sealed(batch.connector))/\(batch.name).object"
    }
    static func envelope(_ batch: BatchID) -> String {
        "\(sealed(batch.connector))/\(batch.name).envelope"
    }
    static func archivedObject(_ batch: BatchID) -> String {
        "\(expired(batch.connector))/\(batch.name).object"
    }
    static func uncertain(_ batch: BatchID) -> String {
        "\(sealed(batch.connector))/\(batch.name).uncertain"
    }
    static func upload(_ batch: BatchID) -> String {
        "\(sealed(batch.connector))/\(batch.name).upload"
    }
    static func tombstone(_ batch: BatchID) -> String {
        "\(sealed(batch.connector))/\(batch.name).delivered"
    }
}

/// A number in lower-case digits, filled up with zeros to a width of up to 16.
func hexadecimal(_ number: UInt64, width: Int) -> String {
    let needed = max(1, (UInt64.bitWidth - number.leadingZeroBitCount + 3) / 4)
    let count = max(width, needed)
    // Fills all of what it says it fills.
    return String(unsafeUninitializedCapacity: count) { output in
        for index in 0..<count {
            let digit = UInt8(truncatingIfNeeded: number >> (4 * UInt64(count - 1 - index)) & 15)
            output[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
        return count
    }
}

/// The directories in which something may happen that the spool wants to know of.
public enum WatchedDirectory {
    /// A file that is being claimed was closed by its writer.
    public static let active = SpoolLayout.active

    public static func incoming(_ connectors: [ConnectorName]) -> [String] {
        [SpoolLayout.incoming] + connectors.map { SpoolLayout.incoming($0) }
    }
}
