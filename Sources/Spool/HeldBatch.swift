public import Model

/// A sealed batch that waits to be delivered. There may be very many, so most are kept as `PackedBatches`.
public struct HeldBatch: Sendable, Equatable {
    /// What many batches have in common, kept once for all of them.
    final class Origin: Sendable {
        let connector: ConnectorName
        let eventType: String

        init(_ connector: ConnectorName, _ eventType: String) {
            self.connector = connector
            self.eventType = eventType
        }
    }

    let origin: Origin
    private let first: Position
    public let through: Position
    /// Of the object.
    public let size: UInt64
    /// The offset of its first event.
    public let offset: UInt64
    private let youngest: Int64
    private let clock: Int64
    /// Seconds from the oldest to the youngest event.
    private let span: UInt32
    private let count: UInt32
    /// Its object is gone: it was delivered just before a crash, or the spool is damaged.
    public var isObjectMissing = false
    /// An earlier process sealed it, so its object is checked before it is sent.
    public var isFromEarlierProcess = false
    /// The answer to an attempt was lost, so it may be stored already.
    public var isUncertain = false
    /// An upload in parts may be under way: there is a record of one.
    public var hasUpload = false

    public var id: BatchID { BatchID(connector: origin.connector, first: first) }
    public var eventType: String { origin.eventType }
    /// A file that goes as it is.
    public var isExport: Bool { origin.eventType == ExportFile.eventType }
    public var events: Int { Int(count) }
    /// When its youngest event was accepted.
    public var accepted: Timestamp { Timestamp(unixSeconds: youngest) }
    /// When its oldest event was accepted.
    public var acceptedFrom: Timestamp { Timestamp(unixSeconds: youngest - Int64(span)) }
    /// When its youngest event was accepted, by the spool clock.
    public var acceptedClock: Duration { .milliseconds(clock) }

    /// - Parameter clock: stands for the reading that an older envelope does not have.
    init(_ summary: EnvelopeSummary, _ origin: Origin, clock: Duration) {
        self.origin = origin
        first = summary.first
        through = summary.through
        size = summary.size
        offset = summary.offset
        youngest = summary.acceptedTo
        self.clock = summary.acceptedClock ?? clock.milliseconds
        span = UInt32(clamping: summary.acceptedTo - summary.acceptedFrom)
        count = UInt32(clamping: summary.events)
    }

    /// All but its origin, as numbers of which those of neighbours differ little (`PackedBatches`).
    typealias Numbers = InlineArray<11, UInt64>

    var numbers: Numbers {
        [
            // Mostly its events end in the file in which they begin.
            first.file, first.offset, through.file &- first.file, through.offset &- first.offset,
            size, offset, UInt64(bitPattern: youngest), UInt64(bitPattern: clock), UInt64(span),
            UInt64(count),
            (isObjectMissing ? 1 : 0) | (isFromEarlierProcess ? 2 : 0) | (isUncertain ? 4 : 0)
                | (hasUpload ? 8 : 0),
        ]
    }

    init(_ origin: Origin, _ numbers: Numbers) {
        self.origin = origin
        first = Position(file: numbers[0], offset: numbers[1])
        through = Position(file: numbers[2] &+ numbers[0], offset: numbers[3] &+ numbers[1])
        size = numbers[4]
        offset = numbers[5]
        youngest = Int64(bitPattern: numbers[6])
        clock = Int64(bitPattern: numbers[7])
        span = UInt32(truncatingIfNeeded: numbers[8])
        count = UInt32(truncatingIfNeeded: numbers[9])
        isObjectMissing = numbers[10] & 1 != 0
        isFromEarlierProcess = numbers[10] & 2 != 0
        isUncertain = numbers[10] & 4 != 0
        hasUpload = numbers[10] & 8 != 0
    }

    public static func == (left: HeldBatch, right: HeldBatch) -> Bool {
        left.id == right.id && left.eventType == right.eventType && left.through == right.through
            && left.size == right.size && left.offset == right.offset
            && left.youngest == right.youngest && left.clock == right.clock
            && left.span == right.span && left.count == right.count
            && left.isObjectMissing == right.isObjectMissing
            && left.isFromEarlierProcess == right.isFromEarlierProcess
            && left.isUncertain == right.isUncertain && left.hasUpload == right.hasUpload
    }
}

/// Finds what batches have in common.
struct Origins {
    private var known: [ConnectorName: [String: HeldBatch.Origin]] = [:]
    private var count = 0

    mutating func origin(_ connector: ConnectorName, _ eventType: String) -> HeldBatch.Origin {
        if let origin = known[connector]?[eventType] { return origin }
        if count >= Limits.rememberedTypes { self = Origins() }
        let origin = HeldBatch.Origin(connector, eventType)
        known[connector, default: [:]][eventType] = origin
        count += 1
        return origin
    }
}
