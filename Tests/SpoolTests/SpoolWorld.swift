import Avro
import Batching
import Deflate
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

    var files = SimulatedFileSystem()
    var random: SeededGenerator
    private var lanes = ManualLanes()
    private(set) var spool: Spool?
    private var held: [BatchID: HeldBatch] = [:]
    /// What this life asked the spool to do with them.
    private var asked: [BatchID: Settlement.Outcome] = [:]
    /// Batches whose last answer was lost in this life, and those of which the spool knows that durably.
    private var unanswered: Set<BatchID> = []
    private var marked: Set<BatchID> = []
    private var hasFailed = false
    private var hasOpened = false
    private var lastFailure: SpoolFailure?
    private var activity = SpoolActivity()
    /// Hours go by between lives now and then.
    private var now: Int64 = 1_795_000_000
    private(set) var routing: Routing

    /// Bodies by key.
    private(set) var bucket: [String: [UInt8]] = [:]
    private(set) var fates = BatchFates()
    /// The lines of each batch, by the life of whoever saw it first.
    private(set) var contents: [BatchID: (key: String, body: [UInt8])] = [:]
    var ownFindings: [String] = []
    var findings: [String] { ownFindings + fates.findings }
    /// As the spool told last.
    private(set) var lost: [ConnectorName: LossTotals] = [:]
    private(set) var archived: [ConnectorName: ArchiveSums] = [:]

    /// Another host has the same identity, and takes some of the keys for objects of its own.
    var hasTwin = false
    private(set) var taken: Set<String> = []

    /// A third connector writes Avro, by schemas that change with the routing.
    let hasAvro: Bool
    /// What is refused is mended, retried and given up.
    let hasRetries: Bool
    /// What was told to be given up from quarantine, and what is certainly gone.
    var givenUp: Set<String> = []
    var gone: Set<String> = []

    init(seed: UInt64, hasAvro: Bool = false, hasRetries: Bool = false) {
        random = SeededGenerator(seed: seed)
        self.hasAvro = hasAvro
        self.hasRetries = hasRetries
        routing = Self.routing(isWide: true, hasAvro: hasAvro)
    }

    /// Small limits, so that a few events make several blocks, batches and groups.
    static func routing(isWide: Bool, hasAvro: Bool, isMended: Bool = false) -> Routing {
        var connectors: [Routing.Connector] = []
        let pattern = isWide ? "*" : "mail.*"
        for (name, patterns) in [(mail, pattern), (orders, "shop.*")] {
            var settings = ConnectorSettings(name: name, bucket: "b", integrationID: "\(name)-id")
            settings.folder = name.description
            settings.format = .jsonl(.gzip)
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
        if hasAvro { connectors.append(avro) }
        let schema = isMended ? mendedSchema : isWide ? wideSchema : narrowSchema
        return Routing(
            cluster: "c", zone: "z", partition: 0, unmatched: .quarantine, connectors: connectors,
            schemas: SchemaSet(["shop.Order": schema]))
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
        // The report is called by work that this same thread runs.
        nonisolated(unsafe) let world = self
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
            case 5..<8: deliver()
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
        routing = Self.routing(isWide: isWide, hasAvro: hasAvro, isMended: isMended)
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
        }
        lost = contents.lost
        archived = contents.archived
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

    // MARK: Delivering

    /// Sends what is held, some of it or all, and settles it. An answer may be lost: then it is sent again.
    private func deliver() {
        for batch in held.values.sorted(by: { $0.id < $1.id }) {
            if Int.random(in: 0..<4, using: &random) == 0 { continue }
            if let outcome = asked[batch.id] {
                spool?.settle([Settlement(batch, outcome)])
                continue
            }
            guard let envelope = try? Envelope.read(batch.id, files) else { continue }
            contents[batch.id]?.key = envelope.key
            if isTaken(envelope.key) {
                rekey(batch)
                continue
            }
            if let body = files.contents(envelope.objectPath) {
                put(envelope, body)
            } else if bucket[envelope.key].map({ digest($0) }) != envelope.sha256 {
                ownFindings.append("\(envelope.key): the object is gone and was never delivered")
            }
            if Int.random(in: 0..<4, using: &random) > 0 {
                settle(batch, .delivered)
            } else {
                unanswered.insert(batch.id)
                nonisolated(unsafe) let world = self
                spool?.markUncertain([batch.id]) { failure in
                    if failure == nil { world.marked.insert(batch.id) }
                }
            }
        }
    }

    private func isTaken(_ key: String) -> Bool {
        guard hasTwin, bucket[key] == nil else { return false }
        if !taken.contains(key), Int.random(in: 0..<3, using: &random) == 0 { taken.insert(key) }
        return taken.contains(key)
    }

    private func rekey(_ batch: HeldBatch) {
        nonisolated(unsafe) let world = self
        spool?.rekey([batch]) { result in
            for (batch, old, new) in result.batches {
                if old == new || !world.taken.contains(old) {
                    world.ownFindings.append("\(old) is free, and became \(new)")
                }
                if world.held[batch.id] != nil { world.held[batch.id] = batch }
            }
        }
    }

    private func settle(_ batch: HeldBatch, _ outcome: Settlement.Outcome) {
        let settlement = Settlement(batch, outcome)
        asked[batch.id] = outcome
        fates.asks(settlement)
        // Its marker goes with it, and a power loss may bring back the one without the other.
        marked.remove(batch.id)
        spool?.settle([settlement])
    }

    // MARK: Giving up

    private func giveUp() {
        var settlements: [Settlement] = []
        for batch in held.values.sorted(by: { $0.id < $1.id }) where asked[batch.id] == nil {
            // What an earlier process sent, nobody knows.
            let perhaps =
                batch.isUncertain || batch.isFromEarlierProcess || unanswered.contains(batch.id)
            let outcome: Settlement.Outcome
            switch Int.random(in: 0..<6, using: &random) {
            case 0: outcome = .dropped(perhapsDelivered: perhaps)
            case 1: outcome = .discarded(perhapsDelivered: perhaps)
            case 2...3: outcome = .archived(perhapsDelivered: perhaps)
            default: continue
            }
            let settlement = Settlement(batch, outcome)
            asked[batch.id] = outcome
            fates.asks(settlement)
            settlements.append(settlement)
        }
        spool?.settle(settlements)
    }

    /// One batch of the archive, or all of a connector.
    private func choose() -> (ConnectorName, [BatchID], name: String?)? {
        guard let one = fates.archived.randomElement(using: &random) else { return nil }
        // All of it can be asked for only where it is known what that is.
        if Bool.random(using: &random) || fates.isArchiveOpen(one.connector) {
            return (one.connector, [one], one.name)
        }
        return (one.connector, fates.archived.filter { $0.connector == one.connector }, nil)
    }

    private func retryArchived() {
        guard let (connector, batches, name) = choose() else { return }
        for batch in batches {
            fates.asksToReturn(batch)
            // It is held anew.
            asked[batch] = nil
        }
        spool?.retryArchived(connector, batch: name) { _ in }
    }

    private func discardArchived() {
        guard let (connector, batches, name) = choose() else { return }
        for batch in batches { fates.asksToGo(batch) }
        nonisolated(unsafe) let world = self
        spool?.discardArchived(connector, batch: name) { result in
            if case .success = result { for batch in batches { world.fates.discarded(batch) } }
        }
    }

    private func put(_ envelope: Envelope, _ body: [UInt8]) {
        if digest(body) != envelope.sha256 || UInt64(body.count) != envelope.size {
            ownFindings.append("\(envelope.key): the object is not what its envelope says")
        }
        if let stored = bucket[envelope.key], stored != body {
            ownFindings.append("\(envelope.key): two bodies for one key")
        }
        bucket[envelope.key] = body
    }

    private func digest(_ bytes: [UInt8]) -> SHA256Digest {
        bytes.withUnsafeBytes { SHA256.digest(of: $0) }
    }

    // MARK: Producers

    /// Drops a file whole, as `mv` does.
    func drop(_ name: String, _ lines: [String]) {
        files.drop("incoming/\(name)", Array(lines.joined(separator: "\n").utf8))
    }
}
