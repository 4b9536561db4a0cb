import Avro
import Batching
import Files
import Model
import Support
import Synchronization
import Testing

@testable import Spool

/// What was refused comes back, each event once and to whoever refused it, or goes for good.
@Suite struct QuarantineTests {
    static func list(_ house: SpoolHouse) -> [QuarantineItem] {
        let found = Mutex<[QuarantineItem]>([])
        house.spool?.quarantined(after: nil, limit: 100) { result in
            found.withLock { $0 = (try? result.get().items) ?? [] }
        }
        house.run()
        return found.withLock { $0 }
    }

    @discardableResult
    static func decide(
        _ house: SpoolHouse, _ verb: QuarantineVerb, _ id: String? = nil
    ) -> Result<QuarantineOutcome, QuarantineFailure>? {
        let answer = Mutex<Result<QuarantineOutcome, QuarantineFailure>?>(nil)
        house.spool?.decide(verb, id.flatMap { QuarantineID($0) }) { result in
            answer.withLock { $0 = result }
        }
        house.run()
        house.flush()
        return answer.withLock { $0 }
    }

    private static func replace(_ house: SpoolHouse, _ name: String, _ bytes: [UInt8]) {
        do throws(FileError) {
            try house.files.write("quarantine/\(name)", bytes)
        } catch {
            Issue.record("\(error)", severity: .error)
        }
    }

    private func event(_ type: String, _ id: String, _ more: String = "") -> String {
        "{\"event_type\":\"\(type)\",\"id\":\"\(id)\"\(more)}\n"
    }

    private func name(_ text: String) throws -> ConnectorName {
        try #require(ConnectorName(text))
    }

    @Test func `Events of a connector that did not exist go there once it does, and once`() throws {
        let house = try SpoolHouse([connector("all", ["a"])])
        let refused =
            event("b", "1", ",\"connector\":\"new\"") + event("b", "2", ",\"connector\":\"new\"")
        house.take("e.jsonl", event("a", "0") + refused + "no event\n")
        let item = try #require(Self.list(house).first)
        #expect(item.file == "incoming/e.jsonl" && item.events == 3 && item.connectors == [])
        #expect(item.reasons.map(\.count) == [2, 1])

        let again = Self.decide(house, .retry(nil), "\(item.id)")
        #expect((try? again?.get())?.events == 3)
        // Nobody mended anything yet: all of it is refused again, under the name of its file.
        let second = try #require(Self.list(house).first)
        #expect(second.id > item.id && second.file == item.file && second.events == 3)
        #expect(second.reasons == item.reasons)

        house.routing = SpoolHouse.routing([connector("all", ["a"]), connector("new", ["x"])])
        house.spool?.change(to: house.routing)
        Self.decide(house, .retry(nil))
        #expect(house.sealed("new") == refused)
        #expect(house.sealed("all") == event("a", "0"))
        let left = Self.list(house)
        #expect(left.map(\.events) == [1])
        #expect(left.first?.reasons.map(\.text) == ["not a JSON object"])
        // Where it stood in its own file.
        #expect(house.quarantined(".rejects")?.contains("\"line\":4,\"offset\":") == true)
        #expect(house.tree.names("active") == [])
        house.start()
        #expect(house.contents?.quarantined == 1)
        #expect(house.sealed("new") == refused)
    }

    @Test func `An event that two connectors refused is retried to each of them alone`() throws {
        let type = "x.Y"
        func schema(_ field: String) throws -> SchemaSet {
            let text =
                "{\"type\":\"record\",\"name\":\"Y\",\"fields\":[{\"name\":\"id\",\"type\":\"\(field)\"}]}"
            return SchemaSet([type: try AvroSchema(json: Array(text.utf8))])
        }
        let connectors = [
            connector("one", ["*"]) { $0.format = .avro(.none) },
            connector("plain", ["*"]),
            connector("two", ["*"]) { $0.format = .avro(.none) },
        ]
        let house = try SpoolHouse(connectors, schemas: schema("int"))
        house.take("e.jsonl", event(type, "1") + event(type, "2"))
        #expect(house.sealed("plain") == event(type, "1") + event(type, "2"))
        #expect(Self.list(house).first?.events == 4)
        #expect(Self.list(house).first?.connectors.map(\.description) == ["one", "two"])

        house.routing = SpoolHouse.routing(connectors, .quarantine, try schema("string"))
        house.spool?.change(to: house.routing)
        let only = try name("two")
        #expect((try? Self.decide(house, .retry(only))?.get())?.events == 2)
        #expect(house.envelopes("two").map(\.events) == [2])
        #expect(house.envelopes("one") == [])
        // The part of the other stays, with its reason.
        let left = try #require(Self.list(house).first)
        #expect(left.events == 2 && left.connectors.map(\.description) == ["one"])
        #expect(left.reasons.first?.text.contains("id") == true)
        #expect((try? Self.decide(house, .retry(only))?.get())?.items == 0)
        Self.decide(house, .retry(nil))
        #expect(house.envelopes("one").map(\.events) == [2])
        #expect(house.envelopes("two").map(\.events) == [2])
        #expect(house.envelopes("plain").map(\.events) == [2])
        #expect(Self.list(house) == [])
    }

    @Test func `What a connector that has left refused waits for it`() throws {
        let house = try SpoolHouse([
            connector("all", ["a"]), connector("gone", ["b"]) { $0.format = .avro(.none) },
        ])
        house.take("e.jsonl", event("b", "1"))
        house.routing = SpoolHouse.routing([connector("all", ["*"])])
        house.spool?.change(to: house.routing)
        Self.decide(house, .retry(nil))
        #expect(house.sealed("all") == "")
        let item = try #require(Self.list(house).first)
        #expect(item.reasons.map(\.text) == ["there is no connector \"gone\""])
        #expect(item.connectors.map(\.description) == ["gone"])
    }

    @Test func `A file that was refused whole is read again to the connector of its directory`()
        throws
    {
        let house = try SpoolHouse([connector("all", ["*"]), connector("orders", ["x"])])
        // A file in a directory goes to its connector, whatever the subscriptions say.
        house.take("orders/e.jsonl", "not yet\n")
        let item = try #require(Self.list(house).first)
        #expect(item.isFile && item.file == "incoming/orders/e.jsonl" && item.events == nil)
        let path = try #require(house.tree.names("quarantine").first { $0.hasSuffix("e.jsonl") })
        // Somebody mends it where it lies.
        Self.replace(house, path, Array(event("a", "1").utf8))
        Self.decide(house, .retry(nil))
        #expect(house.sealed("orders") == event("a", "1"))
        #expect(house.sealed("all") == "")
        #expect(house.tree.names("quarantine") == [] && house.tree.names("active") == [])
    }

    @Test func `Of a file that breaks off only what was not taken is taken later`() throws {
        let house = try SpoolHouse()
        let text = (0..<40_000).map { event("a", "\($0)", ",\"x\":\($0 &* 7_919 % 10_007)") }
        let packed = gzip(Array(text.joined().utf8))
        house.take("e.jsonl.gz", Array(packed[..<(packed.count * 2 / 3)]))
        let first = house.sealed()
        #expect(text.joined().hasPrefix(first) && first != "")
        // As it is, it ends there again.
        let outcome = try? Self.decide(house, .retry(nil))?.get()
        #expect(outcome?.items == 1)
        #expect(house.sealed() == first)
        let item = try #require(Self.list(house).first)
        #expect(item.obstacle == nil)
        #expect(item.reasons.first?.text.hasSuffix("byte \(first.utf8.count) of its text") == true)
        let path = try #require(house.tree.names("quarantine").first { $0.hasSuffix(".gz") })
        Self.replace(house, path, packed)
        Self.decide(house, .retry(nil))
        #expect(house.sealed() == text.joined())
        #expect(house.tree.names("quarantine") == [])
    }

    @Test func `Lines of the rest of a file are counted from the start of the file`() throws {
        let house = try SpoolHouse()
        let text = event("a", "1") + event("a", "2") + "no event\n" + event("a", "3")
        let packed = gzip(Array((event("a", "1") + event("a", "2")).utf8))
        house.take("e.jsonl.gz", Array(packed.dropLast(8)))
        #expect(house.sealed() == event("a", "1") + event("a", "2"))
        let path = try #require(house.tree.names("quarantine").first { $0.hasSuffix(".gz") })
        Self.replace(house, path, gzip(Array(text.utf8)))
        Self.decide(house, .retry(nil))
        #expect(house.sealed() == event("a", "1") + event("a", "2") + event("a", "3"))
        #expect(house.quarantined(".rejects")?.contains("\"line\":3,") == true)
    }

    @Test func `What of a file was taken, or may have been, is not read again`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1") + String(repeating: "x", count: 1 << 20) + "\n")
        house.take("old.jsonl", "bad\n")
        house.take("no.txt", event("a", "2"))
        let old = try #require(house.tree.names("quarantine").first { $0.hasSuffix("old.jsonl") })
        try house.files.rename(
            "quarantine/\(old)", to: "quarantine/\(old.prefix(16))-old.jsonl")
        let outcome = try #require(try? Self.decide(house, .retry(nil))?.get())
        // The line that was too long is in its file; of the refused lines nothing is left to read.
        #expect(outcome.items == 1 && outcome.events == 0 && outcome.leftCount == 3)
        #expect(house.sealed() == event("a", "1"))
        #expect(Self.list(house).map(\.isFile) == [true, true, true])
        #expect(Self.list(house).allSatisfy { $0.obstacle != nil })
        // That can still be given up.
        #expect((try? Self.decide(house, .discard)?.get())?.items == 3)
        #expect(house.tree.names("quarantine") == [])
        guard case .failure(.missing) = Self.decide(house, .discard, "1-file") else {
            Issue.record("nothing is there any more", severity: .error)
            return
        }
    }

    @Test func `What is given up is told before it goes`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1") + "bad\nworse\n")
        let item = try #require(Self.list(house).first)
        Self.decide(house, .discard, "\(item.id)")
        let told = house.reports.compactMap { report -> Int? in
            switch report {
            case .quarantineDiscarded(let items):
                items.reduce(0) { $0 + ($1.events ?? 0) }
            case .quarantineLeft(let count): -count
            default: nil
            }
        }
        #expect(told == [2, -1])
        #expect(house.tree.names("quarantine") == [])
        house.start()
        #expect(house.contents?.quarantined == 0)
        #expect(Self.list(house) == [])
    }

    @Test func `A sync that fails while the routing changes is told to whoever asked`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1") + "bad\n")
        let disk = AlteredFileSystem(house.files)
        house.files = disk
        house.start()
        house.routing = SpoolHouse.routing([connector("all"), connector("more")])
        disk.unsynced = ("quarantine", { house.spool?.change(to: house.routing) })
        let answer = Self.decide(house, .discard)
        guard case .failure(.spool(.file)) = answer else {
            Issue.record("\(String(describing: answer))", severity: .error)
            return
        }
        #expect(Self.list(house).map(\.events) == [1])
        // The change of the routing went on.
        #expect(house.failures == [] && house.tree.names("sealed") == ["all", "more"])
        #expect((try? Self.decide(house, .discard)?.get())?.items == 1)
    }

    @Test func `While the event file is still read again, its refused lines are not retried`()
        throws
    {
        let house = try SpoolHouse()
        house.tree.write("incoming/e.jsonl", event("a", "1") + "bad\n")
        house.scan()
        // The batch is open, and the file waits for it; its refused lines are sealed already.
        #expect(house.tree.names("active").count == 1)
        #expect(house.tree.names("quarantine").count == 1)
        let item = try #require(Self.list(house).first)
        let outcome = try #require(try? Self.decide(house, .retry(nil), "\(item.id)")?.get())
        // Its batch was sealed first.
        #expect(outcome.items == 1)
        #expect(house.sealed() == event("a", "1"))
        #expect(Self.list(house).map(\.events) == [1])
        #expect(house.tree.names("active") == [])
    }

    @Test func `A kill after a retry finds no event file that would refuse the same again`() throws
    {
        let house = try SpoolHouse()
        house.tree.write("incoming/e.jsonl", event("a", "1") + "bad\n")
        house.scan()
        house.spool?.decide(.retry(nil), nil) { _ in }
        house.run()
        // Nothing was sealed but what the retry itself asked for.
        house.start()
        house.flush()
        #expect(house.sealed() == event("a", "1"))
        #expect(Self.list(house).map(\.events) == [1])
    }

    /// A life in which something is refused, and retried or given up; answers whether that was said to be done.
    private func live(
        _ seed: UInt64, _ verb: QuarantineVerb, _ fault: SimulatedFileSystem.Fault?
    ) throws -> (house: SpoolHouse, disk: SimulatedFileSystem, isDone: Bool) {
        let disk = SimulatedFileSystem()
        let house = try SpoolHouse(seed: seed, files: disk)
        try disk.syncAll()
        disk.drop("incoming/e.jsonl", Array((event("a", "1") + "bad\n").utf8))
        house.scan()
        disk.set(fault)
        let isDone = Mutex(false)
        house.spool?.decide(verb, nil) { result in
            isDone.withLock { $0 = (try? result.get())?.items == 1 }
        }
        house.run()
        return (house, disk, isDone.withLock { $0 })
    }

    @Test(arguments: [QuarantineVerb.retry(nil), .discard])
    func `When the power goes at the decisive moment, nothing is lost, there twice, or back`(
        verb: QuarantineVerb
    ) throws {
        for seed in UInt64(0)..<100 {
            let moved = verb == .discard ? "unlink quarantine/0" : "rename quarantine/0"
            let line = try live(seed, verb, nil).disk.log.last { $0.contains(moved) }
            let operation = try #require(line.flatMap { Int($0.prefix { $0 != " " }) })
            let (house, disk, isDone) = try live(seed, verb, .losePowerAfter(operation))
            var random = SeededGenerator(seed: seed)
            house.files = disk.afterPowerLoss(&random)
            house.start()
            house.flush()
            let left = Self.list(house).map(\.events)
            if verb == .discard {
                #expect(left == [] || left == [1] && !isDone, "seed \(seed)")
            } else {
                #expect(left == [1], "seed \(seed)")
            }
        }
    }

    @Test func `A file that ends before what of it was taken is kept, and can be mended once more`()
        throws
    {
        let house = try SpoolHouse()
        let text = event("a", "1") + event("a", "2") + event("a", "3")
        let packed = gzip(Array((event("a", "1") + event("a", "2")).utf8))
        house.take("e.jsonl.gz", Array(packed.dropLast(8)))
        func mend(_ bytes: [UInt8]) throws {
            let names = house.tree.names("quarantine")
            Self.replace(house, try #require(names.first { $0.hasSuffix(".gz") }), bytes)
            Self.decide(house, .retry(nil))
        }
        // Somebody puts only the rest there, and not the file.
        try mend(gzip(Array(event("a", "3").utf8)))
        let item = try #require(Self.list(house).first)
        #expect(item.reasons.first?.text.hasPrefix("its text ends at byte 28, and more") == true)
        #expect(item.obstacle == nil)
        try mend(gzip(Array(text.utf8)))
        #expect(house.sealed() == text)
        #expect(Self.list(house) == [])
    }

    @Test
    func `Retried events that a restored spool sets aside are not taken for a file of events`()
        throws
    {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1") + "bad\n")
        let name = try #require(house.tree.names("quarantine").first)
        // The backup was made in the midst of a retry.
        try house.files.rename(
            "quarantine/\(name)", to: "active/0000000000000009.1795000000.99.rejects._.e.jsonl")
        house.tree.write("restored", [])
        house.start()
        let item = try #require(Self.list(house).first)
        #expect(item.isFile && item.file == "incoming/e.jsonl.rejects" && item.obstacle != nil)
        // Under this name a producer's file is no event file either.
        try house.files.rename(item.name.path, to: "incoming/e.jsonl.rejects")
        house.take("f.jsonl", event("a", "2"))
        #expect(house.sealed() == event("a", "1") + event("a", "2"))
    }
}
