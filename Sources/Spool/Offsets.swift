import Files
import Model

/// Hands out the offsets of one connector: events counted per event type, never the same twice.
///
/// Like sequence numbers they are reserved in blocks, durably, before use. They go into object keys, so a lost state
/// file must not lead to an offset that was used: without one they start at the Unix time in microseconds.
struct Offsets {
    private let connector: ConnectorName
    private var next: [String: UInt64] = [:]
    private var reserved: [String: UInt64] = [:]
    private var start: UInt64

    /// Stands before the event types in the state file, so that none of them can be taken for another key.
    private static let prefix = "reserved "
    /// From here on no offset can be told from damage; counting comes to it in no time that matters.
    private static let highest = UInt64(Int64.max)

    init(
        _ connector: ConnectorName, microseconds: UInt64, _ files: some FileSystem
    ) throws(SpoolFailure) {
        self.init(startingAgain: connector, microseconds: microseconds)
        let path = SpoolLayout.offsets(connector)
        guard let text = try StateFile.read(path, kind: "offsets", files) else { return }
        start = try StateFile.value(path) { () throws(CheckedText.Fault) in
            try text.number("start")
        }
        guard start <= Self.highest else {
            throw .damaged(path: path, reason: "start is no offset")
        }
        for line in text.lines where line.key.hasPrefix(Self.prefix) {
            guard let mark = UInt64(line.value), mark <= Self.highest else {
                throw .damaged(path: path, reason: "\(line.key) is no offset")
            }
            let type = String(line.key.dropFirst(Self.prefix.count))
            next[type] = mark
            reserved[type] = mark
        }
    }

    /// Without a state file. Nobody counts more than an event a microsecond, so what was ever used is below.
    init(startingAgain connector: ConnectorName, microseconds: UInt64) {
        self.connector = connector
        start = microseconds
    }

    /// Makes sure that the counts (events by type) can be taken without another reservation.
    mutating func reserve(
        _ counts: [String: Int], microseconds: UInt64, _ files: some FileSystem
    ) throws(FileError) {
        var (start, next, wanted) = (start, next, reserved)
        let added = counts.keys.reduce(0) { $0 + (reserved[$1] == nil ? 1 : 0) }
        if reserved.count + added > Limits.offsetTypes {
            // Above all that any type ever got; so what each of them got may be forgotten.
            start = reserved.values.reduce(max(start, microseconds), max)
            (next, wanted) = ([:], [:])
        }
        for (type, count) in counts {
            let from = next[type] ?? start
            if from + UInt64(count) > wanted[type] ?? start {
                wanted[type] = from + max(Limits.offsetBlock, UInt64(count))
            }
        }
        if wanted == reserved { return }
        var text = CheckedText(kind: "offsets")
        text.add("start", start)
        for type in wanted.keys.sorted() { text.add(Self.prefix + type, wanted[type] ?? 0) }
        try StateFile.write(
            SpoolLayout.offsets(connector), text, in: SpoolLayout.connectors, files)
        (self.start, self.next, reserved) = (start, next, wanted)
    }

    /// Whether all offsets of a type below this one were reserved.
    func covers(_ eventType: String, upTo end: UInt64) -> Bool {
        end <= reserved[eventType] ?? start
    }

    /// Takes the next offsets of a type, which are reserved.
    mutating func take(_ eventType: String, _ count: Int) -> UInt64 {
        let first = next[eventType] ?? start
        precondition(first + UInt64(count) <= reserved[eventType] ?? start)
        next[eventType] = first + UInt64(count)
        return first
    }
}
