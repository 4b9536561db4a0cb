import Batching
import Digest
import Files
import Model
import Support
import Testing

@testable import Spool

/// When a batch is cut, and what its object and envelope say.
@Suite struct BatchTests {
    private func lines(_ range: Range<Int>, _ type: String = "a", size: Int = 0) -> [String] {
        var random = SeededGenerator(seed: UInt64(range.lowerBound))
        return range.map { index in
            let noise = (0..<size / 16).map { _ in
                String(UInt64.random(in: 1 << 60...UInt64.max, using: &random), radix: 16)
            }
            return "{\"event_type\":\"\(type)\",\"id\":\(index),\"x\":\"\(noise.joined())\"}"
        }
    }

    private func text(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

    @Test(arguments: [ObjectFormat.jsonl(.gzip), .jsonl(.zstd), .jsonl(.none)])
    func `A batch is cut at max_events, across files`(format: ObjectFormat) throws {
        let house = try SpoolHouse([
            connector("all") {
                $0.format = format
                $0.batch.maxEvents = 10
            }
        ])
        let all = lines(0..<37)
        for (name, part) in [("1", all[..<4]), ("2", all[4..<25]), ("3", all[25...])] {
            house.tree.write("incoming/\(name).jsonl", text(Array(part)))
        }
        house.scan()
        // What is full is sealed at once; the rest waits.
        #expect(house.envelopes("all").map(\.events) == [10, 10, 10])
        #expect(house.tree.names("active").count == 1)
        house.flush()
        let envelopes = house.envelopes("all")
        #expect(envelopes.map(\.events) == [10, 10, 10, 7])
        #expect(envelopes.map(\.offset).map { $0 - envelopes[0].offset } == [0, 10, 20, 30])
        #expect(house.sealed() == text(all))
        #expect(envelopes.allSatisfy { $0.contentType == format.contentType })
        #expect(envelopes.allSatisfy { $0.key.hasSuffix("+\($0.offset)\(format.suffix)") })
        // Positions: of the first event of each batch, and through the last.
        #expect(envelopes.map(\.batch.first.file) == [1, 2, 2, 3])
        #expect(envelopes.map(\.through.file) == [2, 2, 3, 3])
        #expect(envelopes.first?.batch.first.offset == 0)
        #expect(envelopes.last?.through.offset == UInt64(text(Array(all[25..<36])).utf8.count))
    }

    @Test func `A batch is cut at max_bytes, looked at with each block`() throws {
        let house = try SpoolHouse([
            connector("all") { $0.batch.maxBytes = ByteCount(300_000) }
        ])
        let all = lines(0..<400, size: 8000)
        for start in stride(from: 0, to: 400, by: 50) {
            house.tree.write("incoming/\(100 + start).jsonl", text(Array(all[start..<start + 50])))
        }
        house.scan()
        house.flush()
        let envelopes = house.envelopes("all")
        #expect(envelopes.count > 1)
        // One block more at most, and the blocks that wait for a packer.
        let most = UInt64(300_000 + (2 + Limits.waitingBlocks) * Limits.blockBytes)
        #expect(envelopes.allSatisfy { $0.size < most })
        #expect(house.sealed() == text(all))
    }

    @Test func `A flush seals what is open, of one connector or of all`() throws {
        let house = try SpoolHouse([connector("a", ["x", "y"]), connector("b", ["y"])])
        house.tree.write("incoming/e.jsonl", text(lines(0..<3, "x") + lines(3..<5, "y")))
        house.scan()
        #expect(house.activity.unsealedBatches == 3)
        house.flush("b")
        #expect(house.sealed("a") == "")
        #expect(house.sealed("b") == text(lines(3..<5, "y")))
        #expect(house.tree.names("active").count == 1)
        house.flush()
        #expect(house.sealed("a") == text(lines(0..<3, "x")) + text(lines(3..<5, "y")))
        #expect(house.tree.names("active") == [])
        house.flush()
        #expect(house.envelopes("a").count == 2 && house.envelopes("b").count == 1)
    }

    @Test(arguments: UInt64(1)...20)
    func `A flush is answered, whatever becomes of the routing meanwhile`(seed: UInt64) throws {
        let house = try SpoolHouse([connector("a")], seed: seed)
        // Everything here runs on this one thread.
        nonisolated(unsafe) var answers: [Bool] = []
        house.spool?.flush(nil) { answers.append($0) }
        house.spool?.change(to: SpoolHouse.routing([connector("a"), connector("b")]))
        house.run()
        #expect(answers == [true])
    }

    @Test func `A batch is due when its first event has waited for max_age`() throws {
        let house = try SpoolHouse([
            connector("slow", ["*"]) { $0.batch.maxAge = .seconds(60) },
            connector("swift", ["*"]) { $0.batch.maxAge = .seconds(10) },
        ])
        func due() -> Duration? {
            house.reports.reversed().lazy.compactMap { report -> Duration?? in
                if case .due(let due) = report { .some(due) } else { nil }
            }.first ?? nil
        }
        func cut(at seconds: Int) {
            house.uptime = .seconds(seconds)
            house.spool?.cutDue()
            house.run()
        }
        house.uptime = .seconds(5)
        house.tree.write("incoming/1.jsonl", text(lines(0..<1)))
        house.scan()
        #expect(due() == .seconds(15))
        house.uptime = .seconds(14)
        house.tree.write("incoming/2.jsonl", text(lines(1..<2)))
        house.scan()
        cut(at: 14)
        #expect(house.sealed("swift") == "")
        cut(at: 15)
        #expect(house.sealed("swift") == text(lines(0..<1)) + text(lines(1..<2)))
        #expect(house.sealed("slow") == "")
        #expect(due() == .seconds(65))
        cut(at: 65)
        #expect(house.sealed("slow") == house.sealed("swift"))
        #expect(due() == nil)
        #expect(house.tree.names("active") == [])
    }

    @Test(arguments: [ObjectFormat.jsonl(.gzip), .jsonl(.zstd)])
    func `A block of a text that does not pack, and an event as large as can be, come through`(
        format: ObjectFormat
    ) throws {
        let house = try SpoolHouse([connector("all") { $0.format = format }])
        let events = lines(0..<40, size: 20_000) + lines(40..<42, size: 890_000) + lines(42..<90)
        house.take("e.jsonl", text(events))
        #expect(house.sealed() == text(events))
        #expect(house.envelopes("all").count == 1)
    }

    @Test func `An envelope is a text that says everything, and that reads back`() throws {
        let house = try SpoolHouse([connector("all") { $0.format = .jsonl(.none) }])
        house.take("e.jsonl", text(lines(0..<2)))
        let envelope = try #require(house.envelopes("all").first)
        let name = "0000000000000001-000000000000"
        let object = Array(text(lines(0..<2)).utf8)
        #expect(house.tree.names("sealed/all") == ["\(name).envelope", "\(name).object"])
        #expect(house.tree.contents("sealed/all/\(name).object") == object)
        let start = house.now * 1_000_000
        let hour = Hour(unixSeconds: house.now)
        let head = "dataexport.c.S3.integration.all-id"
        let shown = try #require(house.tree.text("sealed/all/\(name).envelope"))
        #expect(
            shown.hasPrefix(
                """
                sluice envelope 1
                connector: all
                event-type: a
                hour: \(hour)
                key: currents/\(head)/event_type=a/date=\(hour)/0/z/\(head)+0+\(start).jsonl
                offset: \(start)
                events: 2
                first-file: 1
                first-offset: 0
                through-file: 1
                through-offset: \(lines(0..<1)[0].utf8.count + 1)
                size: \(object.count)
                sha256: \(envelope.digest)
                crc32: \(envelope.crc32)
                content-type: application/x-ndjson
                schema-id: 0
                accepted-from: \(house.now)
                accepted-to: \(house.now)
                accepted-clock: 0
                checksum: 
                """))
        #expect(try Envelope(envelope.text) == envelope)
        #expect(try Envelope(CheckedText(envelope.text.bytes, kind: "envelope")) == envelope)
    }

    @Test func `A settled batch leaves nothing behind`() throws {
        let house = try SpoolHouse()
        house.tree.write("incoming/e.jsonl", text(lines(0..<2, "x") + lines(2..<3, "y")))
        house.scan()
        house.flush()
        let held = house.reports.flatMap { report -> [HeldBatch] in
            if case .sealed(let batches) = report { batches } else { [] }
        }
        #expect(held.map(\.events).sorted() == [1, 2])
        house.spool?.settle(held.map { Settlement($0, .delivered) })
        house.run()
        #expect(house.tree.names("sealed/all") == [])
        #expect(
            house.reports.contains { if case .settled(held.map(\.id)) = $0 { true } else { false } }
        )
        // Settled twice, as after a lost answer: nothing to do.
        house.spool?.settle(held.map { Settlement($0, .delivered) })
        house.run()
        #expect(house.failures == [])
    }

    @Test func `A settled batch is known as long as its file may be read again`() throws {
        let house = try SpoolHouse([connector("all") { $0.batch.maxEvents = 2 }])
        house.tree.write("incoming/e.jsonl", text(lines(0..<2, "x") + lines(2..<3, "y")))
        house.scan()
        // Of two streams one is sealed and delivered; the file is still needed for the other.
        let held = house.reports.flatMap { report -> [HeldBatch] in
            if case .sealed(let batches) = report { batches } else { [] }
        }
        #expect(held.map(\.eventType) == ["x"])
        house.spool?.settle(held.map { Settlement($0, .delivered) })
        house.run()
        #expect(house.tree.names("sealed/all") == ["\(held[0].id.name).delivered"])
        house.start()
        house.flush()
        #expect(house.sealed() == text(lines(2..<3, "y")))
        #expect(house.tree.names("active") == [])
    }
}
