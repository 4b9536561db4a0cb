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

    var files = SimulatedFileSystem()
    var random: SeededGenerator
    private var lanes = ManualLanes()
    private var spool: Spool?
    private var held: [BatchID: HeldBatch] = [:]
    private var hasFailed = false
    private var lastFailure: SpoolFailure?
    private var activity = SpoolActivity()
    /// Hours go by between lives now and then.
    private var now: Int64 = 1_795_000_000
    private(set) var routing: Routing

    /// Bodies by key.
    private(set) var bucket: [String: [UInt8]] = [:]
    private(set) var findings: [String] = []
    private var dropped = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        routing = Self.routing(mailWants: "*")
    }

    /// Small limits, so that a few events make several blocks, batches and groups.
    static func routing(mailWants pattern: String) -> Routing {
        var connectors: [Routing.Connector] = []
        for (name, patterns) in [(mail, pattern), (orders, "shop.*")] {
            var settings = ConnectorSettings(name: name, bucket: "b", integrationID: "\(name)-id")
            settings.folder = name.description
            settings.events = [EventPattern(patterns)!]
            settings.batch.maxEvents = 3
            connectors.append(Routing.Connector(settings))
        }
        return Routing(
            cluster: "c", zone: "z", partition: 0, unmatched: .quarantine, connectors: connectors)
    }

    // MARK: Lives

    /// A process starts, reads what lies there, and goes on until it has nothing to do.
    func start() {
        lanes = ManualLanes()
        held = [:]
        hasFailed = false
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
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<3: spool?.scan()
            case 3..<5: spool?.flush(nil) { _ in }
            case 5..<8: deliver()
            case 8:
                routing = Self.routing(mailWants: Bool.random(using: &random) ? "*" : "mail.*")
                spool?.change(to: routing)
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

    /// A last life without faults, until everything is delivered.
    func finish() {
        files.set(nil)
        start()
        for _ in 0..<12 {
            spool?.scan()
            run()
            spool?.flush(nil) { _ in }
            run()
            deliver()
            run()
        }
        if hasFailed { findings.append("the last life failed: \(lastFailure?.description ?? "")") }
        if !held.isEmpty { findings.append("\(held.count) batches are still held") }
        if !activity.isEmpty { findings.append("the spool is still at work: \(activity)") }
    }

    // MARK: What the spool says

    private func take(_ report: SpoolReport) {
        switch report {
        case .opened(let contents):
            for batch in contents.held { held[batch.id] = batch }
        case .sealed(let batches):
            for batch in batches { held[batch.id] = batch }
        case .settled(let batches):
            for batch in batches { held[batch] = nil }
        case .failed(let failure):
            hasFailed = true
            lastFailure = failure
        case .damaged(let path, let reason):
            findings.append("damaged: \(path): \(reason)")
        case .activity(let activity):
            self.activity = activity
        default:
            break
        }
    }

    // MARK: Delivering

    /// Sends what is held, some of it or all, and settles it. An answer may be lost: then it is sent again.
    private func deliver() {
        for batch in held.values.sorted(by: { $0.id < $1.id }) {
            if Int.random(in: 0..<4, using: &random) == 0 { continue }
            guard let envelope = try? Envelope.read(batch.id, files) else { continue }
            if let body = files.contents(envelope.objectPath) {
                put(envelope, body)
            } else if bucket[envelope.key].map({ digest($0) }) != envelope.sha256 {
                findings.append("\(envelope.key): the object is gone and was never delivered")
            }
            if Int.random(in: 0..<4, using: &random) > 0 {
                spool?.settle([Settlement(batch, .delivered)])
            }
        }
    }

    private func put(_ envelope: Envelope, _ body: [UInt8]) {
        if digest(body) != envelope.sha256 || UInt64(body.count) != envelope.size {
            findings.append("\(envelope.key): the object is not what its envelope says")
        }
        if let stored = bucket[envelope.key], stored != body {
            findings.append("\(envelope.key): two bodies for one key")
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
