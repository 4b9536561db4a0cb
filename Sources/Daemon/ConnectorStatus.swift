import Delivery
import Model
import Spool

/// How one connector stands at a moment: what status, metrics and health checks tell of it.
///
/// All that takes a walk over batches was summed as they came and went, so it is cheap to make however many are held.
nonisolated struct ConnectorStatus: Sendable {
    /// The gravest that holds, in the words of status and the journal.
    enum State: String, Sendable, CaseIterable {
        case delivering
        case neverVerified = "never verified"
        case backingOff = "backing off"
        case misconfigured
        case credentialsFailing = "credentials failing"
        case paused

        /// Where programs read it.
        var word: String { rawValue.replacing(" ", with: "_") }
    }

    /// What the configuration says of it.
    struct Place: Sendable {
        var kind: ConnectorSettings.Kind
        var format: ObjectFormat
        var bucket: String
        var folder: String
        var maxHeld: ByteCount?

        /// "": its objects are files as they were.
        var formatWord: String {
            kind == .dataExport ? "" : format.isAvro ? "avro" : "jsonl"
        }
    }

    /// An episode, and what it puts at risk.
    struct Risk: Sendable {
        /// nil: all of the connector's.
        var eventType: String?
        var since: Timestamp
        var code: String?
        var attempts: Int
        var held: BatchSums
        /// When the first of it is given up, if nothing changes, and in how long; nil: nothing waits.
        var firstDrop: (time: Timestamp, left: Duration)?
        var onExpiry: ConnectorSettings.Expiry
        /// The clock of the window stands.
        var isStanding: Bool
    }

    var name: ConnectorName
    /// nil: it has left the configuration, and what it holds waits.
    var place: Place?
    var state = State.delivering
    var detail: String?
    /// When its trouble began, and how long ago that is.
    var since: Timestamp?
    var troubledFor: Duration?
    var isVerified = false
    var window = Duration.zero
    var deniedEventTypes: [String] = []
    var held = BatchSums()
    /// When the oldest of what is held was accepted.
    var oldest: Timestamp?
    /// Files in its directory wait for its `max_held`.
    var filesWait = false
    /// Held one by one, whatever the connector does, and why.
    var atFault: (objects: Int, detail: String?) = (0, nil)
    /// Of these, batches under whose key another object lies.
    var conflicts = 0
    var risks: [Risk] = []
    var losses = LossTotals()
    var inArchive = ArchiveSums()
    /// Since the daemon started.
    var delivered = BatchSums()
    /// Failed attempts since the daemon started, by S3's code.
    var failures = FailureCounts()
    /// A second's share of the last minute.
    var rate: (events: Int, bytes: UInt64) = (0, 0)
    var lastObject: (key: String, time: Timestamp)?
    /// Exports that lie in the bucket and are to be deleted there, and when the first of them.
    var toRemove: (objects: Int, next: Timestamp?) = (0, nil)
    /// The larger objects that are under way.
    var uploads: [UploadProgress] = []
}

nonisolated extension ConnectorStatus {
    /// All that its episodes put at risk: where one is the whole connector's, that has the others in it.
    var atRisk: BatchSums {
        if let whole = risks.first(where: { $0.eventType == nil }) { return whole.held }
        return risks.reduce(into: BatchSums()) { $0.add($1.held) }
    }

    var timeToFirstDrop: Duration? { risks.compactMap { $0.firstDrop?.left }.min() }

    // MARK: As JSON

    var json: JSONText {
        var members: [(String, JSONText)] = [
            ("name", .string(name.description)), ("kind", .string(place?.kind.rawValue ?? "")),
            ("format", .string(place?.formatWord ?? "jsonl")),
            ("bucket", .string(place?.bucket ?? "")), ("folder", .string(place?.folder ?? "")),
            ("state", .string(state.word)),
        ]
        if let detail { members.append(("detail", .string(detail))) }
        if let since { members.append(("since", .string(since.extended))) }
        members.append(("verified", .boolean(isVerified)))
        members.append(("expire_after_seconds", .integer(Int(window.components.seconds))))
        if !deniedEventTypes.isEmpty {
            members.append(("denied_event_types", .array(deniedEventTypes.map { .string($0) })))
        }
        members.append(("held", heldJSON))
        var fault: [(String, JSONText)] = [("objects", .integer(atFault.objects))]
        if let reason = atFault.detail { fault.append(("detail", .string(reason))) }
        members.append(("at_fault", .object(fault)))
        members.append(("episodes", .array(risks.map(\.json))))
        members += lossesJSON
        members.append(("delivered", .object(delivered.members)))
        if toRemove.objects > 0 {
            var removals: [(String, JSONText)] = [("objects", .integer(toRemove.objects))]
            if let next = toRemove.next { removals.append(("next", .string(next.extended))) }
            members.append(("to_remove", .object(removals)))
        }
        members.append(
            (
                "rate",
                .object([
                    ("events_per_second", .integer(rate.events)),
                    ("bytes_per_second", .integer(Int(clamping: rate.bytes))),
                ])
            ))
        members.append(("uploads", .array(uploads.map(\.json))))
        if let (key, time) = lastObject {
            members.append(
                ("last_object", .object([("key", .string(key)), ("time", .string(time.extended))])))
        }
        return .object(members)
    }

    /// Of a connector that has left the configuration.
    var orphanJSON: JSONText {
        .object([("name", .string(name.description))] + held.members + lossesJSON)
    }

    private var heldJSON: JSONText {
        var members = held.members
        if let oldest { members.append(("oldest", .string(oldest.extended))) }
        if let most = place?.maxHeld {
            members.append(("most_bytes", .integer(Int(clamping: most.bytes))))
            members.append(("files_wait", .boolean(filesWait)))
        }
        return .object(members)
    }

    private var lossesJSON: [(String, JSONText)] {
        let archive = BatchSums(
            objects: inArchive.objects, events: inArchive.events, bytes: inArchive.bytes)
        return [
            ("dropped", losses.dropped.json), ("archived", losses.archived.json),
            ("discarded", losses.givenUpByHand.json), ("in_archive", .object(archive.members)),
        ]
    }
}

extension ConnectorStatus.Risk {
    nonisolated fileprivate var json: JSONText {
        var members: [(String, JSONText)] = []
        if let eventType { members.append(("event_type", .string(eventType))) }
        members.append(("since", .string(since.extended)))
        if let code { members.append(("code", .string(code))) }
        members.append(("attempts", .integer(attempts)))
        members.append(("at_risk", .object(held.members)))
        if let (time, left) = firstDrop {
            members.append(("first_drop", .string(time.extended)))
            members.append(("first_drop_in_seconds", .integer(Int(left.components.seconds))))
        }
        members.append(("on_expiry", .string(onExpiry.rawValue)))
        members.append(("clock_stands", .boolean(isStanding)))
        return .object(members)
    }
}

extension UploadProgress {
    nonisolated fileprivate var json: JSONText {
        var members: [(String, JSONText)] = [
            ("key", .string(key)), ("size", .integer(Int(clamping: size))),
            ("sent", .integer(Int(clamping: sent))),
            ("bytes_per_second", .integer(Int(clamping: bytesPerSecond))),
        ]
        if let secondsLeft { members.append(("seconds_left", .integer(secondsLeft))) }
        return .object(members)
    }
}

extension BatchSums {
    nonisolated var members: [(String, JSONText)] {
        [
            ("objects", .integer(objects)), ("events", .integer(events)),
            ("bytes", .integer(Int(clamping: bytes))),
        ]
    }
}

extension LossSums {
    nonisolated fileprivate var json: JSONText {
        .object([
            ("objects", .integer(Int(clamping: objects))),
            ("events", .integer(Int(clamping: events))),
            ("bytes", .integer(Int(clamping: bytes))),
            ("perhaps_delivered_events", .integer(Int(clamping: perhapsDelivered))),
        ])
    }
}
