public import Digest
public import Files
public import Model

/// Everything needed to deliver an object; its file is the seal.
///
/// It is written once, and renamed when the batch is settled. A small text, so that a person can read it with cat(1).
public struct Envelope: Sendable, Equatable {
    public var batch: BatchID
    public var eventType: String
    public var hour: Hour
    public var key: String
    /// The offset of the first event: events per connector and event type, counted from the start.
    public var offset: UInt64
    public var events: Int
    /// The position of the last event. At a restart everything of the stream up to here is skipped.
    public var through: Position
    public var size: UInt64
    public var digest: ContentDigest
    public var crc32: UInt32
    public var contentType: String
    public var schemaID: UInt32
    /// When the event files of the first and the last event were accepted.
    public var accepted: ClosedRange<Timestamp>
    /// When the youngest event was accepted, by the spool clock. An older version did not write it.
    public var acceptedClock: Duration?
    /// Of a file that went as it was; nil: the object is of events.
    public var export: Export?

    public struct Export: Sendable, Equatable {
        /// What the file is called, an `ExportName`.
        public var path: String
        /// How often its key was taken, so that it was given the next.
        public var renamed = 0
    }

    public var stream: StreamID {
        StreamID(connector: batch.connector, eventType: eventType, hour: hour)
    }
}

extension Envelope {
    var text: CheckedText {
        var text = CheckedText(kind: "envelope")
        text.add("connector", batch.connector)
        text.add("event-type", eventType)
        text.add("hour", hour)
        text.add("key", key)
        text.add("offset", offset)
        text.add("events", events)
        text.add("first-file", batch.first.file)
        text.add("first-offset", batch.first.offset)
        text.add("through-file", through.file)
        text.add("through-offset", through.offset)
        text.add("size", size)
        text.add("sha256", digest)
        text.add("crc32", crc32)
        text.add("content-type", contentType)
        text.add("schema-id", schemaID)
        text.add("accepted-from", accepted.lowerBound.unixSeconds)
        text.add("accepted-to", accepted.upperBound.unixSeconds)
        if let acceptedClock { text.add("accepted-clock", acceptedClock.milliseconds) }
        if let export {
            text.add("file-name", export.path)
            text.add("renamed", export.renamed)
        }
        return text
    }

    init(_ text: CheckedText) throws(CheckedText.Fault) {
        guard let connector = ConnectorName(try text.value("connector")),
            let hour = Hour(try text.value("hour")),
            let digest = ContentDigest(try text.value("sha256"))
        else { throw .damaged("connector, hour or sha256 is invalid") }
        let from = Timestamp(unixSeconds: try text.number("accepted-from"))
        let to = Timestamp(unixSeconds: try text.number("accepted-to"))
        let events: Int = try text.number("events")
        var clock: Duration?
        if text.lines.contains(where: { $0.key == "accepted-clock" }) {
            clock = .milliseconds(try text.number("accepted-clock") as Int64)
        }
        if let fault = Self.fault(
            events: UInt64(clamping: events), from: from.unixSeconds, to: to.unixSeconds,
            clock: clock?.milliseconds)
        {
            throw .damaged(fault)
        }
        let first = Position(
            file: try text.number("first-file"), offset: try text.number("first-offset"))
        self.init(
            batch: BatchID(connector: connector, first: first),
            eventType: try text.value("event-type"), hour: hour, key: try text.value("key"),
            offset: try text.number("offset"), events: events,
            through: Position(
                file: try text.number("through-file"), offset: try text.number("through-offset")),
            size: try text.number("size"), digest: digest, crc32: try text.number("crc32"),
            contentType: try text.value("content-type"), schemaID: try text.number("schema-id"),
            accepted: from...to, acceptedClock: clock, export: try Self.export(text))
    }

    private static func export(_ text: CheckedText) throws(CheckedText.Fault) -> Export? {
        guard text.lines.contains(where: { $0.key == "file-name" }) else { return nil }
        return Export(
            path: try text.value("file-name"), renamed: try text.number("renamed"))
    }
}

extension Envelope {
    /// What of the numbers of a batch cannot be: whatever goes on from them has to stay within its range.
    ///
    /// - Parameter clock: in milliseconds.
    static func fault(events: UInt64, from: Int64, to: Int64, clock: Int64?) -> String? {
        guard events <= UInt32.max else { return "no batch has so many events" }
        guard from <= to else { return "the times of acceptance are reversed" }
        // Up to the end of the year 9999, and for 73 years on a clock that began with the spool.
        guard from >= 0, to < 253_402_300_800 else { return "no clock says such a time" }
        guard (0...2_300_000_000_000).contains(clock ?? 0) else {
            return "no spool is so old as accepted-clock says"
        }
        return nil
    }

    /// Reads the envelope of a held batch.
    public static func read(
        _ batch: BatchID, _ files: any FileSystem
    ) throws(SpoolFailure) -> Envelope {
        try read(SpoolLayout.envelope(batch), files)
    }

    static func read(
        _ path: String, _ files: any FileSystem
    ) throws(SpoolFailure) -> Envelope {
        guard let text = try StateFile.read(path, kind: "envelope", files) else {
            throw .damaged(path: path, reason: "it is gone")
        }
        return try StateFile.value(path) { () throws(CheckedText.Fault) in try Envelope(text) }
    }

    /// Where the object of a held batch lies, below the spool's root.
    public var objectPath: String { SpoolLayout.object(batch) }
}
