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
        /// Its events are files as they are, an object each.
        var isOfFiles = false

        var noun: String { isOfFiles ? "file" : "event" }
    }

    /// What was delivered in a second, on average over the last minute.
    struct Rate {
        var events = 0
        var bytes = 0
    }

    struct Connector {
        var name: String
        var kind: String?
        var bucket: String
        var folder: String
        /// `avro` or `jsonl`.
        var format: String?
        var state: State
        var detail: String?
        var since: Timestamp?
        var deniedTypes: [String]
        /// The window, in seconds.
        var expireAfter: Int?
        var held: Amount
        var oldest: Timestamp?
        /// Its `max_held`.
        var mostBytes: Int?
        /// Files in its directory wait, since it holds as much as its `max_held`.
        var filesWait: Bool
        /// Batches that are held one by one, whatever the connector does.
        var atFault: Int
        var faultDetail: String?
        /// Since the daemon started.
        var delivered: Amount
        /// nil where the daemon does not say it.
        var rate: Rate?
        var episodes: [Episode]
        /// Given up since the spool was made: by the window, into the archive, and because somebody said so.
        var dropped: Amount
        var archived: Amount
        var discarded: Amount
        /// What lies in the archive now.
        var inArchive: Amount
        var lastKey: String?
        var lastTime: Timestamp?
        /// The larger objects that are under way.
        var uploads: [Upload]
        /// Files that are to be deleted in the bucket, and when the first of them.
        var toRemove: Int
        var nextRemoval: Timestamp?
    }

    /// How far an object is on its way.
    struct Upload {
        var key: String
        var size: Int
        var sent: Int
        var bytesPerSecond: Int
        /// nil: nothing goes at present.
        var secondsLeft: Int?
    }

    /// One unbroken time in which credentials are rejected, and what it puts at risk.
    struct Episode {
        /// nil: the whole connector's.
        var eventType: String?
        var since: Timestamp?
        /// S3's code of the last rejection.
        var code: String?
        var attempts: Int
        var atRisk: Amount
        /// When the window gives up the first of it.
        var firstDrop: Timestamp?
        /// How much of the window is left to it, in seconds.
        var firstDropIn: Int?
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

    /// A line of the journal that told of something wrong.
    struct Problem {
        var time: Timestamp
        /// `crit`, `err` or `warning`.
        var priority: String
        var connector: String?
        var text: String
        /// How often it came.
        var count: Int
    }

    var version: String?
    var pid: Int?
    var started: Timestamp?
    var summary: String
    var now: Timestamp
    var directory: String
    /// `running`, `waiting`, `failed` or `opening`.
    var intake: String
    var intakeDetail: String?
    var activeFiles: Int
    var unsealedBatches: Int
    var quarantined: Int
    var freeBytes: Int?
    var sizeBytes: Int?
    var connectors: [Connector]
    var orphans: [Orphan]
    /// The newest first.
    var problems: [Problem]
}
