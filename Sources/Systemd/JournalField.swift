/// One of the fields that a line may carry beside its message.
///
/// Names are a closed list, because dashboards depend on them; all are valid by
/// systemd.journal-fields(7). A value may hold any bytes: fields travel with their length.
public struct JournalField: Sendable, Equatable {
    /// At most 64 of `A-Z0-9_`, not starting with `_` or a digit.
    public enum Name: String, Sendable, CaseIterable {
        case connector = "SLUICE_CONNECTOR"
        case eventType = "SLUICE_EVENT_TYPE"
        case bucket = "SLUICE_BUCKET"
        case key = "SLUICE_KEY"
        case events = "SLUICE_EVENTS"
        case bytes = "SLUICE_BYTES"
        case objects = "SLUICE_OBJECTS"
        case file = "SLUICE_FILE"
        case line = "SLUICE_LINE"
        case s3Code = "SLUICE_S3_CODE"
        case s3RequestID = "SLUICE_S3_REQUEST_ID"
        case firstOffset = "SLUICE_FIRST_OFFSET"
        case atRiskEvents = "SLUICE_AT_RISK_EVENTS"
        case atRiskBytes = "SLUICE_AT_RISK_BYTES"
        case dropAt = "SLUICE_DROP_AT"
        case droppedEvents = "SLUICE_DROPPED_EVENTS"
        case perhapsDelivered = "SLUICE_PERHAPS_DELIVERED_EVENTS"
        case lastOffset = "SLUICE_LAST_OFFSET"
        case acceptedFrom = "SLUICE_ACCEPTED_FROM"
        case acceptedTo = "SLUICE_ACCEPTED_TO"
    }

    public let name: Name
    public let value: [UInt8]

    public init(_ name: Name, bytes: some Sequence<UInt8>) {
        self.name = name
        value = Array(bytes)
    }

    public init(_ name: Name, _ text: String) { self.init(name, bytes: text.utf8) }

    public init(_ name: Name, _ number: some BinaryInteger) { self.init(name, String(number)) }
}

extension JournalField {
    public static func connector(_ name: String) -> JournalField { JournalField(.connector, name) }
    public static func eventType(_ type: String) -> JournalField { JournalField(.eventType, type) }
    public static func bucket(_ name: String) -> JournalField { JournalField(.bucket, name) }
    public static func key(_ key: String) -> JournalField { JournalField(.key, key) }
    public static func events(_ count: some BinaryInteger) -> JournalField {
        JournalField(.events, count)
    }
    public static func bytes(_ count: some BinaryInteger) -> JournalField {
        JournalField(.bytes, count)
    }
    /// How many objects a line about several of them stands for.
    public static func objects(_ count: some BinaryInteger) -> JournalField {
        JournalField(.objects, count)
    }
    public static func file(_ path: String) -> JournalField { JournalField(.file, path) }
    /// The line of an event file, counted from 1.
    public static func line(_ number: some BinaryInteger) -> JournalField {
        JournalField(.line, number)
    }
    public static func s3Code(_ code: String) -> JournalField { JournalField(.s3Code, code) }
    public static func s3RequestID(_ id: String) -> JournalField { JournalField(.s3RequestID, id) }
    public static func firstOffset(_ offset: some BinaryInteger) -> JournalField {
        JournalField(.firstOffset, offset)
    }
    public static func atRiskEvents(_ count: some BinaryInteger) -> JournalField {
        JournalField(.atRiskEvents, count)
    }
    public static func atRiskBytes(_ count: some BinaryInteger) -> JournalField {
        JournalField(.atRiskBytes, count)
    }
    /// When the first events will be given up, ISO 8601.
    public static func dropAt(_ time: String) -> JournalField { JournalField(.dropAt, time) }
    public static func droppedEvents(_ count: some BinaryInteger) -> JournalField {
        JournalField(.droppedEvents, count)
    }
    /// Of the events given up: those that may be in the bucket, since an answer was lost.
    public static func perhapsDelivered(_ count: some BinaryInteger) -> JournalField {
        JournalField(.perhapsDelivered, count)
    }
    public static func lastOffset(_ offset: some BinaryInteger) -> JournalField {
        JournalField(.lastOffset, offset)
    }
    /// When the oldest and the youngest of the events were accepted, ISO 8601.
    public static func acceptedFrom(_ time: String) -> JournalField {
        JournalField(.acceptedFrom, time)
    }
    public static func acceptedTo(_ time: String) -> JournalField {
        JournalField(.acceptedTo, time)
    }
}
