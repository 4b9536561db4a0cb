import Model

/// What the daemon says of itself, read from the document of `GET /status`.
///
/// What a newer daemon adds is passed over, and what an older one lacks counts as nothing.
struct DaemonStatus {
    /// Objects and events: held, delivered or left over.
    struct Amount {
        var objects = 0
        var events = 0
        var bytes = 0
    }

    struct Connector {
        var name: String
        var bucket: String
        var folder: String
        var state: State
        var detail: String?
        var since: Timestamp?
        var deniedTypes: [String]
        var held: Amount
        var oldest: Timestamp?
        /// Files in its directory wait, since it holds as much as its `max_held`.
        var filesWait: Bool
        /// Batches that are held one by one, whatever the connector does.
        var atFault: Int
        var faultDetail: String?
        var delivered: Amount
        var episodes: [Episode]
        /// Given up since the spool was made: by the window, and because somebody said so.
        var dropped: Amount
        var discarded: Amount
        /// What lies in the archive now.
        var inArchive: Amount
        var lastKey: String?
        var lastTime: Timestamp?
    }

    /// One unbroken time in which credentials are rejected, and what it puts at risk.
    struct Episode {
        /// nil: the whole connector's.
        var eventType: String?
        var since: Timestamp?
        var atRisk: Amount
        /// When the window gives up the first of it.
        var firstDrop: Timestamp?
        var isArchiving: Bool
        /// The clock of the window stands: nobody answers, or the connector is paused.
        var clockStands: Bool
    }

    enum State: Equatable {
        case delivering, unverified, backingOff, credentialsFailing, misconfigured, paused
        /// One that this program does not know.
        case other(String)

        init(_ text: String) {
            switch text {
            case "delivering": self = .delivering
            case "never_verified": self = .unverified
            case "backing_off": self = .backingOff
            case "credentials_failing": self = .credentialsFailing
            case "misconfigured": self = .misconfigured
            case "paused": self = .paused
            default: self = .other(text)
            }
        }

        var words: String {
            switch self {
            case .delivering: "delivering"
            case .unverified: "never verified"
            case .backingOff: "backing off"
            case .credentialsFailing: "credentials failing"
            case .misconfigured: "misconfigured"
            case .paused: "paused"
            case .other(let text): text
            }
        }
    }

    struct Orphan {
        var name: String
        var held: Amount
    }

    var summary: String
    var now: Timestamp
    var directory: String
    /// `running`, `waiting`, `failed` or `opening`.
    var intake: String
    var intakeDetail: String?
    var activeFiles: Int
    var quarantined: Int
    var freeBytes: Int?
    var connectors: [Connector]
    var orphans: [Orphan]

    /// nil where the document is not the daemon's.
    init?(_ document: JSONText) {
        guard let summary = document["summary"]?.string, let spool = document["spool"],
            let now = document["now"]?.time, let connectors = document["connectors"]?.elements
        else { return nil }
        self.summary = summary
        self.now = now
        directory = spool["directory"]?.string ?? ""
        intake = spool["intake"]?.string ?? "unknown"
        intakeDetail = spool["detail"]?.string
        activeFiles = spool["active_files"]?.integer ?? 0
        quarantined = spool["quarantined"]?.integer ?? 0
        freeBytes = spool["free_bytes"]?.integer
        self.connectors = connectors.compactMap(Connector.init)
        orphans = (document["orphans"]?.elements ?? []).compactMap { orphan in
            orphan["name"]?.string.map { Orphan(name: $0, held: Amount(orphan)) }
        }
    }
}

extension DaemonStatus.Connector {
    init?(_ value: JSONText) {
        guard let name = value["name"]?.string, let state = value["state"]?.string else {
            return nil
        }
        self.name = name
        self.state = .init(state)
        bucket = value["bucket"]?.string ?? ""
        folder = value["folder"]?.string ?? ""
        detail = value["detail"]?.string
        since = value["since"]?.time
        deniedTypes = (value["denied_event_types"]?.elements ?? []).compactMap(\.string)
        held = .init(value["held"])
        oldest = value["held"]?["oldest"]?.time
        filesWait =
            if case .boolean(true)? = value["held"]?["files_wait"] { true } else { false }
        atFault = value["at_fault"]?["objects"]?.integer ?? 0
        faultDetail = value["at_fault"]?["detail"]?.string
        delivered = .init(value["delivered"])
        episodes = (value["episodes"]?.elements ?? []).map(DaemonStatus.Episode.init)
        dropped = .init(value["dropped"])
        discarded = .init(value["discarded"])
        inArchive = .init(value["in_archive"])
        lastKey = value["last_object"]?["key"]?.string
        lastTime = value["last_object"]?["time"]?.time
    }
}

extension DaemonStatus.Episode {
    init(_ value: JSONText) {
        eventType = value["event_type"]?.string
        since = value["since"]?.time
        atRisk = .init(value["at_risk"])
        firstDrop = value["first_drop"]?.time
        isArchiving = value["on_expiry"]?.string == "archive"
        clockStands =
            if case .boolean(true)? = value["clock_stands"] { true } else { false }
    }
}

extension DaemonStatus.Amount {
    init(_ value: JSONText?) {
        objects = max(0, value?["objects"]?.integer ?? 0)
        events = max(0, value?["events"]?.integer ?? 0)
        bytes = max(0, value?["bytes"]?.integer ?? 0)
    }
}

extension JSONText {
    fileprivate var time: Timestamp? { string.flatMap(Timestamp.init(extended:)) }
}

extension Timestamp {
    /// Reads what `extended` writes: `2026-11-22T17:53:00Z`.
    init?(extended text: String) {
        let numbers = text.split { !$0.isASCII || !$0.isWholeNumber }.compactMap { Int64($0) }
        guard numbers.count == 6, (0...9999).contains(numbers[0]), (1...12).contains(numbers[1]),
            (1...31).contains(numbers[2])
        else { return nil }
        let date = CivilDate(
            year: Int(numbers[0]), month: Int(numbers[1]), day: Int(numbers[2]))
        let minutes = (date.daysSince1970 * 24 + min(numbers[3], 23)) * 60 + min(numbers[4], 59)
        self.init(unixSeconds: minutes * 60 + min(numbers[5], 60))
        guard extended == text else { return nil }
    }
}
