import Avro
import Batching
import Digest
import Files
import Model
import Support
import Testing

@testable import Spool

/// A machine with a spool and a bucket, through any number of lives of the daemon.
///
/// The bucket takes a key once, as conditional writes do: the same body again is fine, another one is a finding. What a
/// life of the daemon does is drawn from the seed.
final class SpoolWorld {
    static let orders = ConnectorName("orders")!
    static let mail = ConnectorName("mail")!
    static let shop = ConnectorName("shop")!
    static let nobody = ConnectorName("nobody")!
    static let reports = ConnectorName("reports")!

    var files = SimulatedFileSystem()
    var random: SeededGenerator
    private var lanes = ManualLanes()
    private(set) var spool: Spool?
    var held: [BatchID: HeldBatch] = [:]
    /// What this life asked the spool to do with them.
    var asked: [BatchID: Settlement.Outcome] = [:]
    /// Batches whose last answer was lost in this life, and those of which the spool knows that durably.
    var unanswered: Set<BatchID> = []
    var marked: Set<BatchID> = []
    private var hasFailed = false
    private var hasOpened = false
    private var lastFailure: SpoolFailure?
    private var activity = SpoolActivity()
    /// Hours go by between lives now and then.
    private var now: Int64 = 1_795_000_000
    private(set) var routing: Routing

    /// Bodies by key.
    var bucket: [String: [UInt8]] = [:]
    var fates = BatchFates()
    /// The lines of each batch, by the life of whoever saw it first.
    var contents: [BatchID: (key: String, body: [UInt8])] = [:]
    var ownFindings: [String] = []
    var findings: [String] { ownFindings + fates.findings }
    /// As the spool told last.
    private(set) var lost: [ConnectorName: LossTotals] = [:]
    private(set) var archived: [ConnectorName: ArchiveSums] = [:]

    /// Exports that are to be deleted in the bucket, as the last start told.
    private(set) var stored: [StoredExport] = []

    /// Another host has the same identity, and takes some of the keys for objects of its own.
    var hasTwin = false
    var taken: Set<String> = []

    /// Objects go in parts: how far each is, is kept now and then.
    var hasUploads = false
    /// Parts that were asked to be kept, and the records that the spool has durably.
    var parts: [BatchID: Int] = [:]
    var keptUploads: [BatchID: UploadRecord] = [:]

    /// A third connector writes Avro, by schemas that change with the routing.
    let hasAvro: Bool
    /// What is refused is mended, retried and given up.
    let hasRetries: Bool
    /// A connector takes files as they are.
    let hasExports: Bool
    /// What was told to be given up from quarantine, and what is certainly gone.
    var givenUp: Set<String> = []
    var gone: Set<String> = []

    init(
        seed: UInt64, hasAvro: Bool = false, hasRetries: Bool = false, hasExports: Bool = false
    ) {
        random = SeededGenerator(seed: seed)
        self.hasAvro = hasAvro
        self.hasRetries = hasRetries
        self.hasExports = hasExports
        routing = Self.routing(isWide: true, hasAvro: hasAvro, hasExports: hasExports)
    }

    /// Small limits, so that a few events make several blocks, batches and groups.
    static func routing(
        isWide: Bool, hasAvro: Bool, isMended: Bool = false, hasExports: Bool = false
    ) -> Routing {
        var connectors: [Routing.Connector] = []
        let pattern = isWide ? "*" : "mail.*"
        for (name, patterns) in [(mail, pattern), (orders, "shop.*")] {
            var settings = ConnectorSettings(name: name, bucket: "b", integrationID: "\(name)-id")
            settings.folder = name.description
            settings.format = name == mail ? .jsonl(.gzip) : .jsonl(.zstd)
            settings.events = [EventPattern(patterns)!]
            settings.batch.maxEvents = 3
            connectors.append(Routing.Connector(settings))
        }
        if isMended {
            var settings = ConnectorSettings(name: nobody, bucket: "b", integrationID: "nobody-id")
            settings.folder = nobody.description
            settings.format = .jsonl(.gzip)
            settings.events = [EventPattern("none.*")!]
            connectors.append(Routing.Connector(settings))
        }
        if hasExports { connectors.append(exports(isWide: isWide)) }
        if hasAvro { connectors.append(avro) }
        let schema = isMended ? mendedSchema : isWide ? wideSchema : narrowSchema
        return Routing(
            cluster: "c", zone: "z", partition: 0, unmatched: .quarantine, connectors: connectors,
            schemas: SchemaSet(["shop.Order": schema]))
    }

    /// Under another routing its keys are others.
    private static func exports(isWide: Bool) -> Routing.Connector {
        var settings = ConnectorSettings(name: reports, bucket: "b", integrationID: "")
        settings.kind = .dataExport
        settings.folder = reports.description
        if !isWide, let template = try? KeyTemplate("narrow/{path}") {
            settings.keyTemplate = template
        }
        return Routing.Connector(settings)
    }

    private static var avro: Routing.Connector {
        var settings = ConnectorSettings(name: shop, bucket: "b", integrationID: "shop-id")
        settings.folder = shop.description
        settings.events = [EventPattern("shop.*")!]
        settings.batch.maxEvents = 3
        return Routing.Connector(settings)
    }

    private static func schema(_ more: String, number: String = "int") -> AvroSchema {
        let text = """
            {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}, \
            {"name": "n", "type": ["null", "\(number)"]}\(more)]}
            """
        guard let schema = try? AvroSchema(json: Array(text.utf8)) else {
            preconditionFailure("the texts of both schemas are valid")
        }
        return schema
    }

    static let narrowSchema = schema("")
    static let wideSchema = schema(#", {"name": "more", "type": ["null", "string"]}"#)

    static let mendedSchema = schema("", number: "string")

    // MARK: Lives

    /// A process starts, reads what lies there, and goes on until it has nothing to do.
    func start() {
        lanes = ManualLanes()
        held = [:]
        asked = [:]
        unanswered = []
        hasFailed = false
        hasOpened = false
        let lanes = lanes
        let now = now
        do {
            _ = try SpoolTree.prepare(files, host: "host")
        } catch {
            hasFailed = true
            spool = nil
            return
        }
        // The report is called by work that this same thread runs for the world, which owns the spool.
        nonisolated(unsafe) unowned let world = self
        let spool = Spool(
            SpoolSurroundings(
                lanes, files: files, now: { Timestamp(unixSeconds: now) },
                report: { world.take($0) }),
            routing: routing, minimumFree: .percent(1))
        self.spool = spool
        spool.open()
        run()
    }

    /// The process is killed; everything that it wrote stays visible.
    func kill() {
        lanes.removeAll()
        spool = nil
        files = files.afterKill()
        pass()
    }

    /// The machine loses power.
    func losePower() {
        lanes.removeAll()
        spool = nil
        files = files.afterPowerLoss(&random)
        pass()
    }

    private func pass() {
        if Int.random(in: 0..<4, using: &random) == 0 { now += 3600 }
    }

    func run() {
        lanes.runAll(&random)
    }

    /// One life with its ordinary work in an order drawn by chance: scanning, flushing, delivering, reloading.
    func live(steps: Int) {
        start()
        for _ in 0..<steps {
            if files.isDown { return }
            if spool == nil { start() }
            switch Int.random(in: 0..<(hasRetries ? 26 : 14), using: &random) {
            case 0..<3: spool?.scan()
            case 3..<5: spool?.flush(nil) { _ in }
            case 5..<8:
                deliver()
                forgetStored()
            case 8..<10: giveUp()
            case 10: retryArchived()
            case 11: discardArchived()
            case 12, 14..<17:
                change(
                    isWide: Bool.random(using: &random),
                    isMended: hasRetries && Bool.random(using: &random))
            case 17..<22: retryRefused()
            case 22..<24: discardRefused()
            case 24: mendFile()
            default: spool?.flush(Self.orders) { _ in }
            }
            run()
            if hasFailed {
                hasFailed = false
                spool?.open()
                run()
            }
        }
    }

    func change(isWide: Bool, isMended: Bool) {
        routing = Self.routing(
            isWide: isWide, hasAvro: hasAvro, isMended: isMended, hasExports: hasExports)
        spool?.change(to: routing)
    }

    /// A last life without faults, until everything is delivered.
    func finish() {
        files.set(nil)
        start()
        // Mostly, what is left is mended in the end.
        if hasRetries, Int.random(in: 0..<4, using: &random) > 0 {
            mendFile()
            change(isWide: true, isMended: true)
            run()
            retryRefused()
            run()
        }
        // By chance a batch may have to wait for its turn, or for an answer, many times.
        for round in 0..<60 where round < 12 || !held.isEmpty {
            spool?.scan()
            run()
            spool?.flush(nil) { _ in }
            run()
            deliver()
            run()
        }
        fates.compare(held: names(".envelope"), archived: names("archived"))
        if hasFailed {
            ownFindings.append("the last life failed: \(lastFailure?.description ?? "")")
        }
        if !held.isEmpty { ownFindings.append("\(held.count) batches are still held") }
        if !activity.isEmpty { ownFindings.append("the spool is still at work: \(activity)") }
    }

    // MARK: What the spool says

    private func take(_ report: SpoolReport) {
        switch report {
        case .opened(let contents):
            opened(contents)
        case .sealed(let batches):
            for batch in batches where held[batch.id] == nil { sealed(batch) }
        case .settled(let batches):
            for batch in batches {
                held[batch] = nil
                fates.settled(batch)
            }
        case .lost(let totals):
            lost = totals
        case .archived(let sums):
            archived = sums
        case .failed(let failure):
            hasFailed = true
            lastFailure = failure
        case .quarantineDiscarded(let items):
            for item in items { givenUp.formUnion(refused(in: item)) }
        case .damaged(let path, let reason):
            ownFindings.append("damaged: \(path): \(reason)")
        case .activity(let activity):
            self.activity = activity
        default:
            break
        }
    }

    private func opened(_ contents: SpoolContents) {
        // When intake begins again, what was asked for is still on its way.
        if !hasOpened { fates.compare(held: names(".envelope"), archived: names("archived")) }
        hasOpened = true
        for batch in contents.held where held[batch.id] == nil {
            sealed(batch)
            if marked.contains(batch.id), !batch.isUncertain {
                ownFindings.append("\(batch.id.name) is no longer uncertain")
            }
            checkUpload(of: batch)
        }
        lost = contents.lost
        archived = contents.archived
        stored = contents.stored
    }

    private func sealed(_ batch: HeldBatch) {
        held[batch.id] = batch
        fates.sealed(batch)
        // Looked at from outside, where nothing fails.
        guard contents[batch.id] == nil,
            let text = files.contents(SpoolLayout.envelope(batch.id)),
            let envelope = try? Envelope(CheckedText(text, kind: "envelope")),
            let body = files.contents(envelope.objectPath)
        else { return }
        contents[batch.id] = (envelope.key, body)
    }

    /// The batches whose files in `sealed/` and `expired/` end so, or so with a hyphen after it.
    private func names(_ ending: String) -> Set<BatchID> {
        var found: Set<BatchID> = []
        for path in files.paths where path.contains(ending) {
            let parts = path.split(separator: "/")
            guard parts.count == 3, let connector = ConnectorName(parts[1]),
                let id = BatchID(connector: connector, name: parts[2].prefix { $0 != "." }),
                parts[0] == (ending == ".envelope" ? "sealed" : "expired")
            else { continue }
            found.insert(id)
        }
        return found
    }

    // MARK: Producers

    /// Drops a file whole, as `mv` does.
    func drop(_ name: String, _ lines: [String]) {
        files.drop("incoming/\(name)", Array(lines.joined(separator: "\n").utf8))
    }
}
