import Batching
import Encoding
import Files
import Model

/// Reads event files one after another and sends each event into its streams.
///
/// One owner at a time: the worker that holds the desk's routing turn. Files come in the order of their numbers, so each
/// stream gets its events in the order of positions.
final class Router {
    let table: RoutingTable
    /// Event files that the device failed to read again and again.
    private let unreadable: Set<UInt64>
    let files: any FileSystem
    let uptime: @Sendable () -> Duration
    let output: RouterOutput

    /// How far each stream was sealed before this process read it again.
    private let sealedThrough: [StreamID: Position]
    var streams: [StreamID: Stream] = [:]
    var openStreams: [ObjectIdentifier: Stream] = [:]
    var encoders: [EncoderKey: LineEncoder] = [:]
    private var memory = RouteMemory()
    private var memoryHour: Hour?
    /// Memory of all blocks being filled.
    var openBytes = 0
    var batches: UInt64 = 0
    /// When the first of the open batches is old enough to be sealed.
    var nextDue: Duration?

    private let chunk = ChunkBuffer()
    var reading: Reading?

    struct EncoderKey: Hashable {
        /// nil: all types alike.
        var eventType: String?
        var transforms: Transforms
    }

    /// The file being read.
    struct Reading {
        var reader: EventFileReader
        /// Lines that were read and are not yet routed: too much was open for all of them at once.
        var rest: Lines?
        var direction: RoutingTable.Direction
        /// The sub-directory names a connector that the routing does not have.
        var unknownConnector: String?
        var line = 0
        /// Of a file of refused events: which of them is read.
        var retry: Retry?
        var rejects: Rejects?
        var end = EventFileEnd()
    }

    /// Whole lines in the reader's memory, from `at` on; `offset` is where the first of them stands in the file's text.
    struct Lines {
        var text: UnsafePointer<UInt8>
        var count: Int
        var offset: UInt64
        var at = 0
    }

    init(
        _ routing: Routing, sealedThrough: [StreamID: Position], unreadable: Set<UInt64> = [],
        _ files: any FileSystem, uptime: @escaping @Sendable () -> Duration, output: RouterOutput
    ) {
        table = RoutingTable(routing)
        self.sealedThrough = sealedThrough
        self.unreadable = unreadable
        self.files = files
        self.uptime = uptime
        self.output = output
    }

    var isReading: Bool { reading != nil }

    /// Begins with the next file.
    func begin(_ file: EventFile) throws(FileError) {
        let reader: EventFileReader
        do {
            reader = try EventFileReader(
                file, files, into: chunk, endsAtMediaFault: unreadable.contains(file.name.number))
        } catch {
            guard error.isDataFault || error.isHeldByLease else { throw error }
            var end = EventFileEnd()
            end.kept =
                error.isHeldByLease
                ? "its owner keeps others from opening it, by a lease"
                : "it cannot be opened: \(errorText(error.code))"
            end.keptFrom = file.name.isRejects ? nil : file.name.from
            return output.fileRead(ReadFile(file: file, end: end, hasRejects: false))
        }
        var direction = RoutingTable.Direction.subscriptions
        var unknown: String?
        if let connector = file.name.connector {
            if let index = table.index(of: connector) {
                direction = .connector(index)
            } else {
                unknown = connector.description
            }
        }
        if file.name.hour != memoryHour { begin(file.name.hour) }
        reading = Reading(reader: reader, direction: direction, unknownConnector: unknown)
        if case .rejects(let connector) = file.name.contents {
            reading!.retry = Retry(
                only: connector, direction: direction, unknownConnector: unknown)
        }
    }

    /// Reads the next piece of the file and routes it; answers how many bytes of text that was.
    func step() throws(FileError) -> Int {
        guard let reader = reading?.reader else { return 0 }
        var size = 0
        if let rest = reading?.rest.take() {
            size = try route(rest)
            makeRoom()
            return size
        }
        switch try reader.next() {
        case .lines(let text, let count, let offset):
            countPassed(reader)
            size = try route(Lines(text: text, count: count, offset: offset))
        case .tooLong(let offset):
            countPassed(reader)
            reading!.line += 1
            reading!.end.kept = reading!.end.kept ?? "line \(reading!.line) is \(LineFault.tooLong)"
            try refuse(
                offset: offset, nil, "\(LineFault.tooLong); the whole file is kept beside this one",
                UnsafeRawBufferPointer(start: nil, count: 0))
        case .passed(let count):
            size = count
        case .broken(let offset, let reason):
            try breakOff(at: max(offset, reader.file.name.from), reason)
        case .end where reader.offset < reader.file.name.from:
            try breakOff(
                at: reader.file.name.from,
                "its text ends at byte \(reader.offset), and more than that was taken earlier")
        case .end where reading!.retry?.head != nil:
            try breakOff(at: reader.offset, "it ends within an entry")
        case .end:
            try finish()
        }
        makeRoom()
        return size
    }

    /// Lines that were taken earlier count where people are told of a line.
    private func countPassed(_ reader: EventFileReader) {
        if reading!.line == 0 { reading!.line = reader.passedLines }
    }

    /// Whether some of what is open must be packed or closed before anything is added.
    var isFull: Bool {
        openBytes > Limits.openBytes || openStreams.count > Limits.openBatches
    }

    private func makeRoom() {
        if openStreams.count > Limits.openBatches { closeOldest() }
        if openBytes > Limits.openBytes { packFullest() }
    }

    // MARK: Lines

    /// Routes lines until there is no room for more; answers how many bytes that was.
    private func route(_ lines: Lines) throws(FileError) -> Int {
        if reading!.retry != nil { return try retry(lines) }
        let (text, offset) = (lines.text, lines.offset)
        let number = reading!.reader.file.name.number
        var line = EventLine()
        var at = lines.at
        while at < lines.count {
            if isFull, at > lines.at {
                reading!.rest = lines
                reading!.rest!.at = at
                break
            }
            JSONScanner.scan(text, from: at, into: &line)
            at = line.next
            reading!.line += 1
            let position = Position(file: number, offset: offset + UInt64(line.start))
            switch line.outcome {
            case .blank:
                break
            case .event:
                reading!.end.sawEvent = true
                try route(text, line, position)
            case .refused(let fault):
                try refuse(
                    offset: position.offset, nil, fault.description,
                    UnsafeRawBufferPointer(
                        start: text + line.start, count: line.end - line.start))
                if !reading!.end.sawEvent, reading!.end.refused >= Limits.linesBeforeGivingUp {
                    try finish()
                    return at - lines.at
                }
            }
        }
        return at - lines.at
    }

    func route(
        _ text: UnsafePointer<UInt8>, _ line: EventLine, _ position: Position
    ) throws(FileError) {
        if let unknown = reading!.unknownConnector {
            return try refuse(text, line, position, [(nil, .unknownConnector(unknown))])
        }
        if line.connector != .missing, reading!.direction == .subscriptions {
            return try routeByMember(text, line, position)
        }
        let entry = entry(text, line, reading!.direction)
        try send(text, line, position, entry)
        if !entry.refusals.isEmpty { try refuse(text, line, position, entry.refusals) }
    }

    /// Routes an event whose member `connector` says where it goes.
    private func routeByMember(
        _ text: UnsafePointer<UInt8>, _ line: EventLine, _ position: Position
    ) throws(FileError) {
        guard let names = names(text, line.connector) else {
            return try refuse(text, line, position, [(nil, .invalidConnector)])
        }
        var indexes: [Int] = []
        for name in names {
            guard let index = table.index(of: name) else {
                return try refuse(text, line, position, [(nil, .unknownConnector(name))])
            }
            // Named twice, it still gets the event once.
            if !indexes.contains(index) { indexes.append(index) }
        }
        for index in indexes {
            let entry = entry(text, line, .connector(index))
            try send(text, line, position, entry)
            if !entry.refusals.isEmpty { try refuse(text, line, position, entry.refusals) }
        }
    }

    private func names(_ text: UnsafePointer<UInt8>, _ value: EventLine.Value) -> [String]? {
        switch value {
        case .missing:
            return nil
        case .string(let start, let end, _):
            let name = JSONText.unescape(
                UnsafeBufferPointer(start: text + start, count: end - start))
            return [String(decoding: name, as: UTF8.self)]
        case .other(let start, let end):
            let names = JSONText.strings(
                UnsafeBufferPointer(start: text + start, count: end - start))
            guard let names, !names.isEmpty else { return nil }
            return names.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Where events like this one go.
    @inline(__always)
    private func entry(
        _ text: UnsafePointer<UInt8>, _ line: EventLine, _ direction: RoutingTable.Direction
    ) -> RouteMemory.Entry {
        if case .string(let start, let end, false) = line.eventType, start < end {
            let name = UnsafeBufferPointer(start: text + start, count: end - start)
            return memory.find(name, direction)
                ?? learn(String(decoding: name, as: UTF8.self), direction)
        }
        return unusualEntry(text, line, direction)
    }

    /// As `entry`, for events whose type is missing, escaped, empty or no string.
    private func unusualEntry(
        _ text: UnsafePointer<UInt8>, _ line: EventLine, _ direction: RoutingTable.Direction
    ) -> RouteMemory.Entry {
        switch line.eventType {
        case .missing:
            return memory.find(UnsafeBufferPointer(start: nil, count: 0), direction)
                ?? learn(nil, direction)
        case .string(let start, let end, _):
            let name = JSONText.unescape(
                UnsafeBufferPointer(start: text + start, count: end - start))
            // An empty name is not remembered: nothing would tell it from a missing one.
            if name.isEmpty { return make("", direction) }
            return name.withUnsafeBufferPointer { memory.find($0, direction) }
                ?? learn(String(decoding: name, as: UTF8.self), direction)
        case .other:
            return make("", direction)
        }
    }

    private func learn(
        _ eventType: String?, _ direction: RoutingTable.Direction
    ) -> RouteMemory.Entry {
        // Before there is a new stream, which has no batch yet.
        if memory.count >= Limits.rememberedTypes { forgetRoutes() }
        let entry = make(eventType, direction)
        // Names that no stream can have may be as long as a line.
        if (eventType ?? "").utf8.count <= EventType.longest { memory.insert(entry) }
        return entry
    }

    private func make(
        _ eventType: String?, _ direction: RoutingTable.Direction
    ) -> RouteMemory.Entry {
        let answer = table.answer(eventType: eventType, direction)
        // Those that share an encoder stand together, so that it encodes an event once.
        var streams: [Stream] = []
        for stream in answer.targets.map(stream) {
            let last = streams.lastIndex { $0.encoder === stream.encoder }
            streams.insert(stream, at: last.map { $0 + 1 } ?? streams.count)
        }
        return RouteMemory.Entry(
            direction, Array((eventType ?? "").utf8), streams: streams, answer)
    }

    private func stream(_ target: RoutingTable.Target) -> Stream {
        let connector = table.routing.connectors[target.connector]
        let id = StreamID(
            connector: connector.name, eventType: target.eventType,
            hour: memoryHour ?? Hour(hoursSince1970: 0))
        if let stream = streams[id] { return stream }
        let stream = Stream(
            id, table.routing, connector: target.connector,
            encoder: encoder(connector, target.eventType), sealedThrough: sealedThrough[id])
        streams[id] = stream
        return stream
    }

    /// One for all connectors that want the same of an event type.
    private func encoder(_ connector: Routing.Connector, _ eventType: String) -> LineEncoder? {
        let key = EncoderKey(
            eventType: connector.format.isAvro ? eventType : nil, transforms: connector.transforms)
        if let encoder = encoders[key] { return encoder }
        let encoder = LineEncoder(table.routing, connector, eventType: eventType)
        encoders[key] = encoder
        return encoder
    }

    /// A new hour means new streams.
    private func begin(_ hour: Hour) {
        forgetRoutes()
        memoryHour = hour
        encoders = [:]
    }

    /// Streams stay while they have an open batch. Nothing of the others is lost: all that they remember is where their
    /// events go, and how far they were sealed.
    private func forgetRoutes() {
        memory.removeAll()
        streams = streams.filter { $0.value.batch != nil }
    }
}
