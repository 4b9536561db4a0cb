import Delivery
import Dispatch
import Files
import Model
import ScriptedStore
import Spool
import Support
import Testing

@testable import Daemon
@testable import Spool

/// A machine on which the daemon runs from `incoming/` to the bucket, in virtual time.
///
/// Files, lanes, libcurl and the store are real. Only the clocks are the test's, and it is the test that calls what
/// timers would.
final class Pipeline {
    static let name = ConnectorName("orders")!

    let time = VirtualTime()
    let journal = CapturedJournal()
    let tree = TemporaryTree()
    let server: ScriptedS3
    /// Seconds that the server's clock is ahead of this machine's.
    private(set) var ahead: Int64 = 0

    private let aside = TemporaryTree()
    private let files: RealFileSystem
    private var settings: Settings
    private(set) var daemon: Daemon
    /// Those that ended: a process takes its timers with it, and here nothing does.
    private static var ended: [Daemon] = []

    private(set) var arrived: Set<String> = []

    var outbox: Outbox { daemon.outbox(Self.name) }

    init(_ change: (inout ConnectorSettings) -> Void = { _ in }) throws {
        aside.makeDirectory("saved")
        aside.write("secret", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n")
        server = try ScriptedS3(["--save", aside.at("saved")])
        var connector = ConnectorSettings(
            name: Self.name, bucket: "events", integrationID: "orders-id")
        connector.endpoint = server.url
        connector.region = "us-east-1"
        connector.format = .jsonl(.none)
        connector.batch.maxAge = .seconds(1)
        connector.credentials.base = .keys(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretFile: aside.at("secret"),
            sessionTokenFile: nil)
        change(&connector)
        settings = Settings()
        settings.spool.directory = tree.path
        settings.spool.minimumFree = .bytes(ByteCount(1))
        settings.connectors = [connector]
        files = try RealFileSystem(root: tree.path)
        daemon = try Self.makeDaemon(settings, files, time, journal)
    }

    private static func makeDaemon(
        _ settings: Settings, _ files: RealFileSystem, _ time: VirtualTime,
        _ journal: CapturedJournal
    ) throws -> Daemon {
        let identity = try SpoolTree.prepare(files, host: "host").identity
        let book = try Spool.readEpisodes(files).map { try EpisodeBook($0) }
        let daemon = Daemon(
            LoadedSettings(file: "", settings: settings), journal: journal.makeWriter(time),
            files: files, identity: identity, book: book,
            clock: DaemonClock(
                after: book?.clock, boot: time.boot, bootTime: { time.sinceBoot },
                now: { time.wall }),
            runsUntilEmpty: false)
        daemon.configureOutboxes()
        daemon.spool.open()
        return daemon
    }

    // MARK: The machine

    /// Waits until intake runs and nothing is under way.
    func settle() async throws {
        try await wait("the daemon to be at rest") { [self] in
            daemon.isReady && daemon.toSettle.isEmpty && !daemon.isKeepingScheduled
                && daemon.outboxes.values.allSatisfy(\.isIdle)
        }
        journal.catchUp()
    }

    /// A minute passes, in which the daemon does what it would.
    func minute() async throws {
        time.passMinute()
        daemon.tick()
        try await settle()
    }

    func minutes(_ count: Int) async throws {
        for _ in 0..<count { try await minute() }
    }

    /// The process ends, and another one starts, in the same boot or after so many minutes without power.
    func restart(offMinutes: Int? = nil) async throws {
        try await settle()
        // What was to be kept of episodes is on the disk once a later text is.
        await withCheckedContinuation { continuation in
            daemon.spool.keepEpisodes(daemon.episodes().text) { _ in continuation.resume() }
        }
        end()
        if let offMinutes { time.powerCycle(minutes: offMinutes) }
        daemon = try Self.makeDaemon(settings, files, time, journal)
        try await settle()
    }

    private func end() {
        daemon.watcher = nil
        for outbox in daemon.outboxes.values { outbox.stop() }
        Self.ended.append(daemon)
    }

    func setWall(ahead seconds: Int64) {
        time.setWall(ahead: seconds)
        ahead -= seconds
    }

    func stop() {
        end()
        server.stop()
    }

    /// Puts other settings into effect, as a reload does.
    func reload(_ change: (inout [ConnectorSettings]) -> Void = { _ in }) async throws {
        change(&settings.connectors)
        daemon.settings = settings
        daemon.configureOutboxes()
        try await settle()
    }

    /// Intake meets an error of the disk, and begins again a moment later.
    func failIntake() async throws {
        let spool = daemon.spool
        daemon.lanes.storage.async {
            spool.fail(.file(FileError(operation: "write", path: "active", code: 5)))
        }
        try await wait("intake to fail") { [self] in
            if case .failed = daemon.intake { true } else { false }
        }
        try await wait("intake to begin again") { [self] in daemon.intake == .running }
    }

    /// Waits for a condition, with a deadline.
    private func wait(_ what: String, until condition: () throws -> Bool) async throws {
        let deadline = DispatchTime.now() + 120
        while try !condition() {
            try #require(DispatchTime.now() < deadline, "waited in vain for \(what)")
            await withCheckedContinuation { continuation in
                DispatchQueue.main.asyncAfter(deadline: .now() + .microseconds(200)) {
                    continuation.resume()
                }
            }
        }
    }

    // MARK: The store

    /// What the store does with each PUT from now on; nil: what it should.
    func storeAnswers(_ rules: String?) async throws {
        try await server.replaceScript(rules ?? "")
    }

    /// Rejects the credentials, with the date of the true time.
    var rejecting: String {
        #"{"times": null, "do": "answer", "status": 403, "code": "InvalidAccessKeyId", "ahead": \#(ahead)}"#
    }

    static let unreachable = #"{"times": null, "do": "reset"}"#

    // MARK: Events

    /// A producer drops a file with one event of each type, or several; they are sealed when this returns.
    func arrive(_ name: String, each count: Int = 1) async throws {
        var (ids, text) = ([] as [String], "")
        for (type, index) in ["cart", "order"].flatMap({ type in (0..<count).map { (type, $0) } }) {
            ids.append("\(name)-\(type)" + (index > 0 ? "-\(index)" : ""))
            text += "{\"event_type\":\"\(type)\",\"id\":\"\(ids[ids.count - 1])\"}\n"
        }
        tree.write("incoming/\(name).jsonl", text)
        daemon.spool.scan()
        let deadline = DispatchTime.now() + 120
        repeat {
            try #require(DispatchTime.now() < deadline, "\(name) is not sealed")
            _ = await withCheckedContinuation { continuation in
                daemon.flush(nil) { continuation.resume(returning: $0) }
            }
        } while tree.names("incoming").contains { $0.hasSuffix(".jsonl") }
            || !tree.names("active").isEmpty
        arrived.formUnion(ids)
        // What the spool said of it is heard after whatever it said before.
        await withCheckedContinuation { continuation in
            daemon.lanes.storage.async { onLoop { continuation.resume() } }
        }
        try await settle()
    }

    /// The events on the disk that wait.
    func held() throws -> [String] {
        var events: [String] = []
        for name in tree.names("sealed/\(Self.name)") where name.hasSuffix(".envelope") {
            let batch = BatchID(connector: Self.name, name: name.dropLast(".envelope".count))
            let id = try #require(batch)
            // It may be delivered this moment.
            guard let envelope = try? Envelope.read(id, files),
                let text = tree.text(envelope.objectPath)
            else { continue }
            events += Self.ids(text)
        }
        return events.sorted()
    }

    /// The events in the bucket.
    func delivered() -> [String] { saved("saved").flatMap { Self.ids($0) }.sorted() }

    /// The events in `expired/`.
    func archived() -> [String] {
        tree.names("expired/\(Self.name)").filter { $0.hasSuffix(".object") }
            .flatMap { Self.ids(tree.text("expired/\(Self.name)/\($0)") ?? "") }.sorted()
    }

    private func saved(_ path: String) -> [String] {
        aside.names(path).flatMap { name in
            name.hasSuffix(".jsonl")
                ? [aside.text("\(path)/\(name)") ?? ""] : saved("\(path)/\(name)")
        }
    }

    private static func ids(_ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            line.split(separator: "\"id\":\"").last?.split(separator: "\"").first.map(String.init)
        }
    }
}
