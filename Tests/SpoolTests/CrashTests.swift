import Avro
import Files
import Glibc
import Model
import Support
import Testing

@testable import Spool

/// Whatever fails, and whenever the power goes, each event is in exactly one object of each connector that wants it, or in
/// a batch that was given up or archived, and counted.
@Suite struct CrashTests {
    /// Files with all that intake knows: subscriptions, a named connector, a sub-directory, refused lines, gzip.
    private static func fill(_ world: SpoolWorld) {
        world.drop(
            "a.jsonl",
            (0..<7).map { #"{"event_type":"shop.Order","id":"a\#($0)"}"# } + ["no event a7"]
                // Only a schema refuses it.
                + (world.hasAvro ? [#"{"event_type":"shop.Order","n":"x","id":"a8"}"#] : []))
        world.drop("b.jsonl", (0..<4).map { #"{"event_type":"mail.Send","id":"b\#($0)"}"# })
        world.drop(
            "c.jsonl",
            (0..<3).map { #"{"event_type":"other","connector":"orders","id":"c\#($0)"}"# }
                + [#"{"event_type":"x","connector":"nobody","id":"c3"}"#])
        // A sub-directory counts before what the event says.
        world.drop(
            "orders/d.jsonl",
            (0..<3).map { #"{"event_type":"mail.Send","connector":"mail","id":"d\#($0)"}"# })
        let packed = (0..<4).map { #"{"event_type":"mail.Open","id":"e\#($0)"}"# }
        world.files.drop("incoming/e.jsonl.gz", gzip(Array(packed.joined(separator: "\n").utf8)))
        guard world.hasExports else { return }
        for (index, name) in exports.enumerated() {
            world.files.drop("incoming/reports/\(name)", Array("report\(index)".utf8))
        }
    }

    /// Names of files that go as they are; what is in one is its place in this list.
    private static let exports = ["a.csv", "2026%2Fb.zip", "c.jsonl", "d"]

    /// What an object has, by name.
    private static func ids(_ connector: some StringProtocol, _ body: [UInt8]) -> [String] {
        connector == SpoolWorld.reports.description
            ? [String(decoding: body, as: UTF8.self)] : lines(body).map(eventID)
    }

    static func makeWorld(
        seed: UInt64, hasAvro: Bool = false, hasRetries: Bool = false, hasExports: Bool = false
    ) -> SpoolWorld {
        let world = SpoolWorld(
            seed: seed, hasAvro: hasAvro, hasRetries: hasRetries, hasExports: hasExports)
        _ = try? SpoolTree.prepare(world.files, host: "host")
        try? world.files.syncAll()
        fill(world)
        if hasRetries { world.dropBrokenFiles() }
        return world
    }

    /// Ids of the events under each key, by connector, and ids in quarantine.
    private static func check(_ world: SpoolWorld, _ what: Comment) {
        #expect(world.findings.isEmpty, what)
        var seen: [String: Int] = [:]
        for (key, body) in world.bucket {
            let connector = key.prefix { $0 != "/" }
            for id in ids(connector, body) { seen["\(connector) \(id)", default: 0] += 1 }
        }
        for (batch, fate) in world.fates.fates {
            let isPerhapsStored: Bool
            switch fate {
            case .lost(let perhaps), .archived(let perhaps): isPerhapsStored = perhaps
            default: continue
            }
            guard let (key, body) = world.contents[batch] else {
                Issue.record("nobody saw the object of \(batch.name)", severity: .error)
                continue
            }
            if world.bucket[key] != nil {
                #expect(isPerhapsStored, "\(key) is stored and counts as lost: \(what)")
                continue
            }
            for id in ids(batch.connector.description, body) {
                seen["\(batch.connector) \(id)", default: 0] += 1
            }
        }
        checkSums(world, what)
        for name in world.refusedNames {
            for refused in world.refused(in: name) { seen["refused \(refused)", default: 0] += 1 }
        }
        for (event, count) in seen where count != 1 {
            Issue.record("\(event) is there \(count) times", severity: .error)
        }
        // Those of b always go to mail; of a to orders and, under the wide routing, to mail too, all or none of them.
        var expected =
            (0..<7).map { "orders a\($0)" } + (0..<4).map { "mail b\($0)" }
            + (0..<3).map { "orders c\($0)" } + (0..<3).map { "orders d\($0)" }
            + (0..<4).map { "mail e\($0)" }
            + (world.hasAvro ? (0..<7).map { "shop a\($0)" } + ["orders a8"] : [])
            + (world.hasExports ? exports.indices.map { "reports report\($0)" } : [])
            + (world.hasRetries ? (0..<SpoolWorld.lastOfFile).map { "mail f\($0)" } : [])
        expected += refused(world, seen, what)
        for event in expected where seen[event] == nil {
            Issue.record("\(event) is lost: \(what)", severity: .error)
        }
        let orders = expected.filter { $0.hasPrefix("orders a") }.count
        let mailed = (0..<9).filter { seen["mail a\($0)"] != nil }.count
        #expect(mailed == 0 || mailed == orders, "one file was routed in two ways: \(what)")
        #expect(seen.count == expected.count + mailed, what)
    }

    /// Where each thing is that was refused at first: still in quarantine, where it belongs once that was mended, or
    /// nowhere, if it was given up and that was told.
    private static func refused(
        _ world: SpoolWorld, _ seen: [String: Int], _ what: Comment
    ) -> [String] {
        var places = ["a7": "", "c3": "nobody c3"]
        if world.hasAvro { places["a8"] = "shop a8" }
        if world.hasRetries {
            places["f.jsonl.gz"] = "mail f\(SpoolWorld.lastOfFile)"
            places["g.jsonl"] = ""
        }
        var found: [String] = []
        for (thing, mended) in places {
            let there = ["refused \(thing)", mended].filter { seen[$0] != nil }
            found += there
            #expect(there.count <= 1, "\(thing) is in two places: \(what)")
            if there.isEmpty, !world.givenUp.contains(thing) {
                Issue.record("\(thing) is lost: \(what)", severity: .error)
            }
            #expect(
                there.isEmpty || !world.gone.contains(thing),
                "\(thing) is there again, and was given up: \(what)")
        }
        return found
    }

    /// What is counted is what was lost, and what is told of the archive lies there.
    private static func checkSums(_ world: SpoolWorld, _ what: Comment) {
        #expect(world.lost == world.fates.totals, what)
        #expect((try? Totals(world.files))?.connectors == world.fates.totals, what)
        let objects = world.fates.archived.reduce(into: [:]) { $0[$1.connector, default: 0] += 1 }
        #expect(world.archived.mapValues(\.objects).filter { $0.value != 0 } == objects, what)
        for batch in world.fates.archived {
            let body = world.files.contents(SpoolLayout.archivedObject(batch))
            #expect(body == world.contents[batch]?.body, "\(batch.name) in the archive: \(what)")
        }
    }

    @Test func `Without a fault everything arrives once`() {
        for seed in UInt64(0)..<20 {
            let world = Self.makeWorld(seed: seed)
            world.live(steps: 10)
            world.kill()
            world.finish()
            Self.check(world, "seed \(seed)")
        }
    }

    enum Kind: String, CaseIterable, Sendable {
        case io, full, before, after, kill

        func fault(_ operation: Int) -> SimulatedFileSystem.Fault {
            switch self {
            case .io: .fail(at: operation, code: EIO)
            case .full: .fail(at: operation, code: ENOSPC)
            case .before, .kill: .losePowerBefore(operation)
            case .after: .losePowerAfter(operation)
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func `A fault at every operation loses nothing and doubles nothing`(kind: Kind) {
        // How many operations a life has differs with the seed; past the last one nothing is left to try.
        for seed in UInt64(0)..<3 {
            var operation = 1
            while true {
                let world = Self.makeWorld(seed: seed)
                world.files.set(kind.fault(operation))
                world.live(steps: 8)
                let reached = world.files.operations >= operation
                if kind == .kill
                    || Bool.random(using: &world.random) && kind != .before && kind != .after
                {
                    world.kill()
                } else {
                    world.losePower()
                }
                world.finish()
                Self.check(world, "\(kind.rawValue) at operation \(operation), seed \(seed)")
                if !reached { break }
                operation += 1
            }
            #expect(operation > 50)
        }
    }

    @Test(arguments: Kind.allCases)
    func `A fault at every operation on files that go as they are loses and doubles none`(
        kind: Kind
    ) {
        let seed = UInt64.random(in: 0..<1 << 32)
        var operation = 1
        while true {
            let world = Self.makeWorld(seed: seed, hasExports: true)
            world.files.set(kind.fault(operation))
            world.live(steps: 8)
            let isReached = world.files.operations >= operation
            if kind == .before || kind == .after { world.losePower() } else { world.kill() }
            world.finish()
            Self.check(world, "\(kind.rawValue) at operation \(operation), seed \(seed)")
            if !isReached { break }
            operation += 1
        }
        #expect(operation > 50)
    }

    @Test func `Lives with files that go as they are lose none and double none`() {
        let first = UInt64.random(in: 0..<1 << 32)
        var renamed = 0
        for seed in first..<first + Self.chains(30) {
            let world = Self.makeWorld(seed: seed, hasExports: true)
            world.hasTwin = true
            live(world)
            Self.check(world, "seed \(seed)")
            renamed += world.bucket.keys.count { $0.hasPrefix("reports/") && $0.contains("-2") }
        }
        // Another object had the key, and that came about.
        #expect(renamed > 0)
    }

    @Test func `Lives with schemas that change lose nothing, and double nothing`() throws {
        let first = UInt64.random(in: 0..<1 << 32)
        for seed in first..<first + Self.chains(60) {
            let world = Self.makeWorld(seed: seed, hasAvro: true)
            live(world)
            Self.check(world, "seed \(seed)")
            // Each ID in a key stands for its schema from then on.
            let used = try Spool.readUsedSchemas(world.files)
            for schema in [SpoolWorld.narrowSchema, SpoolWorld.wideSchema]
            where world.bucket.keys.contains(where: { $0.contains("/\(schema.id)/") }) {
                #expect(used.contains(schema), "seed \(seed)")
            }
        }
    }

    @Test
    func `Lives in which the refused is mended, retried and given up lose and double nothing`() {
        let first = UInt64.random(in: 0..<1 << 32)
        var (mended, gone) = (0, 0)
        for seed in first..<first + Self.chains(12) {
            let world = Self.makeWorld(seed: seed, hasAvro: true, hasRetries: true)
            live(world)
            Self.check(world, "seed \(seed)")
            mended += world.bucket.keys.count { $0.hasPrefix("nobody/") }
            gone += world.gone.count
        }
        // Both came about.
        #expect(mended > 0 && gone > 0)
    }

    @Test func `A fault at every operation of a retry loses nothing and doubles nothing`() {
        let seed = UInt64.random(in: 0..<1 << 32)
        var kinds = SeededGenerator(seed: seed)
        var operation = 1
        while true {
            // One kind of each operation, drawn by chance: all of them take long.
            let kind = Kind.allCases.randomElement(using: &kinds) ?? .io
            let world = Self.makeWorld(seed: seed, hasAvro: true, hasRetries: true)
            world.start()
            for _ in 0..<3 {
                world.spool?.scan()
                world.run()
                world.spool?.flush(nil) { _ in }
                world.run()
            }
            world.files.set(kind.fault(operation))
            // A change of the routing syncs of its own.
            if Bool.random(using: &kinds) {
                world.mendFile()
                world.change(isWide: true, isMended: true)
            }
            world.spool?.decide(.retry(nil), nil) { _ in }
            world.run()
            world.spool?.flush(nil) { _ in }
            world.run()
            let isReached = world.files.operations >= operation
            if kind == .before || kind == .after {
                world.losePower()
            } else {
                world.kill()
                // A power cut may take a reason, but nothing else does while its file is there.
                for name in world.refusedNames where name.kind != .rejects {
                    let reason = Quarantine.reason(name.number, world.files)
                    #expect(reason != nil, "\(name.text), \(kind.rawValue) at \(operation)")
                }
            }
            world.finish()
            Self.check(world, "\(kind.rawValue) at operation \(operation), seed \(seed)")
            if !isReached { break }
            operation += 1
        }
        #expect(operation > 50)
    }

    /// Seeds that found something: a directory whose failed sync was taken for done, a marker that was not durable.
    private static let failedOnce: [UInt64] = [1_181_333_051, 3_179_561_440, 1_647_187_490]

    @Test func `Many lives that end anyhow lose nothing and double nothing`() {
        let first = UInt64.random(in: 0..<1 << 32)
        for seed in Self.failedOnce + Array(first..<first + Self.chains(100)) {
            let world = Self.makeWorld(seed: seed)
            live(world)
            Self.check(world, "seed \(seed)")
        }
    }

    @Test func `Many lives beside a host of the same identity lose nothing and double nothing`() {
        let first = UInt64.random(in: 0..<1 << 32)
        var taken = 0
        for seed in first..<first + Self.chains(100) {
            let world = Self.makeWorld(seed: seed)
            world.hasTwin = true
            live(world)
            Self.check(world, "seed \(seed)")
            #expect(world.taken.isDisjoint(with: world.bucket.keys), "seed \(seed)")
            taken += world.taken.count
        }
        #expect(taken > 100)
    }

    @Test func `Many lives with uploads in parts keep how far each is, and nothing after its end`()
    {
        let first = UInt64.random(in: 0..<1 << 32)
        var kept = 0
        for seed in first..<first + Self.chains(40) {
            let world = Self.makeWorld(seed: seed)
            world.hasUploads = true
            live(world)
            Self.check(world, "seed \(seed)")
            let left = world.files.paths.filter { $0.contains(".upload") }
            #expect(left.isEmpty, "seed \(seed)")
            kept += world.parts.values.reduce(0, +)
        }
        #expect(kept > 100)
    }

    @Test func `A fault at every operation with uploads in parts loses nothing`() {
        let seed = UInt64.random(in: 0..<1 << 32)
        var kinds = SeededGenerator(seed: seed)
        var operation = 1
        while true {
            let kind = Kind.allCases.randomElement(using: &kinds) ?? .io
            let world = Self.makeWorld(seed: seed)
            world.hasUploads = true
            world.files.set(kind.fault(operation))
            world.live(steps: 8)
            let isReached = world.files.operations >= operation
            if kind == .before || kind == .after { world.losePower() } else { world.kill() }
            world.finish()
            Self.check(world, "\(kind.rawValue) at operation \(operation), seed \(seed)")
            #expect(!world.files.paths.contains { $0.contains(".upload") }, "seed \(seed)")
            if !isReached { break }
            operation += 1
        }
        #expect(operation > 50)
    }

    /// How many chains of lives a test goes through: SLUICE_CRASH_CHAINS, or a few.
    private static func chains(_ few: UInt64) -> UInt64 {
        getenv("SLUICE_CRASH_CHAINS").flatMap { UInt64(String(cString: $0)) } ?? few
    }

    /// Six lives that end by chance, and a last one without faults.
    private func live(_ world: SpoolWorld) {
        for _ in 0..<6 {
            let operation = Int.random(in: 1...80, using: &world.random)
            switch Int.random(in: 0..<4, using: &world.random) {
            case 0:
                let code = operation.isMultiple(of: 2) ? EIO : ENOSPC
                world.files.set(.fail(at: operation, code: code))
            case 1: world.files.set(.losePowerBefore(operation))
            case 2: world.files.set(.losePowerAfter(operation))
            default: world.files.set(nil)
            }
            world.live(steps: 6)
            if Bool.random(using: &world.random) { world.kill() } else { world.losePower() }
        }
        world.finish()
    }
}
