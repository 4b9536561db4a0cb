import Avro
import Batching
import Deflate
import Files
import Model
import Support
import Testing
import Zstandard

@testable import Spool

/// A spool in a real directory, whose daemon lives as long as the test says. All work runs on the test's own thread.
final class SpoolHouse {
    let tree = TemporaryTree()
    /// What the daemon sees; a test may put other ears and eyes here before a start.
    var files: any FileSystem
    var routing: Routing
    var now: Int64 = 1_795_000_000
    var uptime = Duration.zero
    var clock = Duration.zero
    var minimumFree = MinimumFree.bytes(ByteCount(1))
    /// Called once, before the next piece of work of a worker.
    var beforeWork: (() -> Void)?

    private(set) var spool: Spool?
    private(set) var reports: [SpoolReport] = []
    private var lanes = ManualLanes()
    private var random: SeededGenerator

    init(
        _ connectors: [Routing.Connector] = [connector("all")], unmatched: Unmatched = .quarantine,
        schemas: SchemaSet = SchemaSet(), seed: UInt64 = 1,
        files: (any FileSystem)? = nil
    ) throws {
        random = SeededGenerator(seed: seed)
        self.files = try files ?? RealFileSystem(root: tree.path)
        routing = Self.routing(connectors, unmatched, schemas)
        start()
    }

    static func routing(
        _ connectors: [Routing.Connector], _ unmatched: Unmatched = .quarantine,
        _ schemas: SchemaSet = SchemaSet()
    ) -> Routing {
        Routing(
            cluster: "c", zone: "z", partition: 0, unmatched: unmatched, connectors: connectors,
            schemas: schemas)
    }

    // MARK: The daemon

    /// Starts the daemon; one that ran before is gone without a word.
    func start() {
        lanes.removeAll()
        lanes = ManualLanes()
        reports = []
        do {
            _ = try SpoolTree.prepare(files, host: "host")
        } catch {
            Issue.record("prepare: \(error)", severity: .error)
        }
        // Everything below is called by work that this same thread runs for the house, which owns the spool.
        nonisolated(unsafe) unowned let house = self
        let lanes = lanes
        let spool = Spool(
            SpoolSurroundings(
                lanes, files: files, uptime: { house.uptime },
                now: { Timestamp(unixSeconds: house.now) }, clock: { house.clock },
                beforeWork: {
                    let hook = house.beforeWork
                    house.beforeWork = nil
                    hook?()
                },
                report: { house.reports.append($0) }),
            routing: routing, minimumFree: minimumFree)
        self.spool = spool
        spool.open()
        run()
    }

    func run() {
        lanes.runAll(&random)
    }

    func govern(troubled: [String] = [], maxHeld: [String: UInt64] = [:]) {
        spool?.govern(
            by: IntakePolicy(
                troubled: Set(troubled.compactMap { ConnectorName($0) }),
                maxHeld: maxHeld.reduce(into: [:]) { limits, entry in
                    limits[ConnectorName(entry.key)!] = ByteCount(entry.value)
                }))
        run()
    }

    /// Looks into `incoming/` and reads what is there.
    func scan() {
        spool?.scan()
        run()
    }

    func flush(_ connector: String? = nil) {
        spool?.flush(connector.flatMap { ConnectorName($0) }) { _ in }
        run()
    }

    /// Drops a file and does all there is to do about it.
    func take(_ name: String, _ text: String) {
        take(name, Array(text.utf8))
    }

    func take(_ name: String, _ bytes: [UInt8]) {
        tree.write("incoming/\(name)", bytes)
        scan()
        flush()
    }

    // MARK: What is in the spool

    /// The envelopes of a connector's sealed batches, in order.
    func envelopes(_ connector: String) -> [Envelope] {
        guard let name = ConnectorName(connector) else { return [] }
        let ids = tree.names("sealed/\(connector)").filter { $0.hasSuffix(".envelope") }
            .compactMap { BatchID(connector: name, name: $0.dropLast(".envelope".count)) }
        return ids.sorted().compactMap { id in
            do {
                return try Envelope.read(id, files)
            } catch {
                Issue.record("\(id.name): \(error)", severity: .error)
                return nil
            }
        }
    }

    /// The text of a sealed object.
    func text(_ envelope: Envelope) -> String {
        let bytes = tree.contents(envelope.objectPath) ?? []
        #expect(UInt64(bytes.count) == envelope.size)
        return String(decoding: unpack(bytes), as: UTF8.self)
    }

    /// All that was sealed for a connector, batch after batch.
    func sealed(_ connector: String = "all") -> String {
        envelopes(connector).map(text).joined()
    }

    /// What the last start found.
    var contents: SpoolContents? {
        reports.lazy.compactMap { if case .opened(let contents) = $0 { contents } else { nil } }
            .first
    }

    /// What this life was told of and has not seen settled, oldest first.
    var held: [HeldBatch] {
        var held: [BatchID: HeldBatch] = [:]
        for report in reports {
            switch report {
            case .opened(let contents):
                for batch in contents.held { held[batch.id] = batch }
            case .sealed(let batches):
                for batch in batches { held[batch.id] = batch }
            case .settled(let batches):
                for batch in batches { held[batch] = nil }
            default: break
            }
        }
        return held.values.sorted { $0.id < $1.id }
    }

    /// The totals that were told last.
    var lost: [ConnectorName: LossTotals] {
        for report in reports.reversed() {
            if case .lost(let totals) = report { return totals }
            if case .opened(let contents) = report { return contents.lost }
        }
        return [:]
    }

    var lossesFound: [Loss] {
        reports.flatMap { report -> [Loss] in
            if case .lossesFound(let losses) = report { losses } else { [] }
        }
    }

    /// Settles all that is held alike.
    func settle(_ outcome: Settlement.Outcome) {
        spool?.settle(held.map { Settlement($0, outcome) })
        run()
    }

    var fileRefusals: [FileRefusal] {
        reports.compactMap { if case .fileRefused(let refusal) = $0 { refusal } else { nil } }
    }

    var eventsRefusals: [EventsRefusal] {
        reports.compactMap { if case .eventsRefused(let refusal) = $0 { refusal } else { nil } }
    }

    var failures: [SpoolFailure] {
        reports.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }
    }

    var activity: SpoolActivity {
        reports.reversed().lazy.compactMap { report -> SpoolActivity? in
            if case .activity(let activity) = report { activity } else { nil }
        }.first ?? SpoolActivity()
    }

    /// The only file in quarantine with the given ending.
    func quarantined(_ suffix: String) -> String? {
        let names = tree.names("quarantine").filter { $0.hasSuffix(suffix) }
        #expect(names.count == 1, "\(names)")
        return names.first.flatMap { tree.text("quarantine/\($0)") }
    }
}

/// A connector that wants everything and writes plain lines unless told otherwise.
func connector(
    _ name: String, _ patterns: [String] = ["*"], defaultType: String? = nil,
    _ change: (inout ConnectorSettings) -> Void = { _ in }
) -> Routing.Connector {
    var settings = ConnectorSettings(
        name: ConnectorName(name)!, bucket: "b", integrationID: "\(name)-id")
    settings.events = patterns.map { EventPattern($0)! }
    settings.defaultEventType = defaultType
    settings.format = .jsonl(.gzip)
    change(&settings)
    return Routing.Connector(settings)
}

/// One gzip member of a text, in blocks of 64 KiB.
func gzip(_ text: [UInt8]) -> [UInt8] {
    var deflater = BlockDeflater(level: 6)
    var bytes = GzipMember.header
    text.withUnsafeBytes { text in
        if text.isEmpty { bytes += deflater.deflate(text, ending: .complete) }
        for start in stride(from: 0, to: text.count, by: 64 << 10) {
            let end = min(text.count, start + (64 << 10))
            bytes += deflater.deflate(
                UnsafeRawBufferPointer(rebasing: text[start..<end]),
                ending: end == text.count ? .complete : .joined)
        }
        bytes += GzipMember.trailer(checksum: CRC32(of: text), size: UInt64(text.count))
    }
    return bytes
}

/// The text of an object in JSON Lines, by its first bytes.
func unpack(_ bytes: [UInt8]) -> [UInt8] {
    if bytes.starts(with: GzipMember.header.prefix(2)) { return gunzip(bytes) }
    guard bytes.starts(with: FrameReader.magic) else { return bytes }
    var reader = FrameReader()
    let text = try? bytes.withUnsafeBytes { try reader.decompress($0, limit: 1 << 30) }
    if text == nil { Issue.record("an object is damaged", severity: .error) }
    return text ?? []
}

func gunzip(_ bytes: [UInt8]) -> [UInt8] {
    var reader = GzipReader()
    var text: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 1 << 16)
    var at = 0
    while at < bytes.count {
        let done = try? bytes[at...].withUnsafeBytes { part in
            try room.withUnsafeMutableBytes { try reader.read(part, into: $0) }
        }
        guard let done else {
            Issue.record("an object is damaged", severity: .error)
            break
        }
        at += done.consumed
        text += room[..<done.produced]
    }
    return text
}
