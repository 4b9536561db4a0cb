import Batching
import Files
import Glibc
import Model
import Support
import Testing

@testable import Spool

/// What becomes of batches that are given up, and how they are counted.
@Suite struct LossTests {
    private static let all = ConnectorName("all")!

    private func event(_ type: String, _ id: String) -> String {
        "{\"event_type\":\"\(type)\",\"id\":\"\(id)\"}\n"
    }

    private func sums(
        _ objects: UInt64, events: UInt64, bytes: UInt64, perhaps: UInt64 = 0
    ) -> LossSums {
        var sums = LossSums()
        (sums.objects, sums.events, sums.bytes) = (objects, events, bytes)
        sums.perhapsDelivered = perhaps
        return sums
    }

    @Test(arguments: [
        (Settlement.Outcome.dropped(perhapsDelivered: false), Loss.Kind.dropped),
        (.dropped(perhapsDelivered: true), .dropped),
        (.discarded(perhapsDelivered: true), .discarded),
    ])
    func `A batch that is given up is gone from the disk, counted, and told`(
        outcome: Settlement.Outcome, kind: Loss.Kind
    ) throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1") + event("a", "2"))
        let batch = try #require(house.held.first)
        house.settle(outcome)
        #expect(house.held == [])
        #expect(house.tree.names("sealed/all") == [])
        let perhaps: UInt64 = outcome == .dropped(perhapsDelivered: false) ? 0 : 2
        let lost = sums(1, events: 2, bytes: batch.size, perhaps: perhaps)
        #expect(house.lost[Self.all]?[kind] == lost)
        // Nothing of it comes back, and the sums stay.
        house.start()
        #expect(house.held == [])
        #expect(house.lossesFound == [])
        #expect(house.lost[Self.all]?[kind] == lost)
    }

    @Test func `The totals are a text that people can read`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1") + event("a", "2"))
        let dropped = try #require(house.held.first)
        house.settle(.dropped(perhapsDelivered: false))
        house.take("f.jsonl", event("a", "3"))
        let discarded = try #require(house.held.first)
        house.settle(.discarded(perhapsDelivered: true))
        let text = try #require(house.tree.text("totals"))
        #expect(
            text.hasPrefix(
                """
                sluice totals 1
                counted: 2
                dropped all: objects 1, events 2, bytes \(dropped.size), perhaps-delivered 0
                discarded all: objects 1, events 1, bytes \(discarded.size), perhaps-delivered 1
                checksum: 
                """), "\(text)")
    }

    @Test func `A tombstone says what became of a batch whose file may be read again`() throws {
        let house = try SpoolHouse([connector("all") { $0.batch.maxEvents = 2 }])
        house.tree.write(
            "incoming/e.jsonl", event("x", "1") + event("x", "2") + event("y", "3"))
        house.scan()
        let batch = try #require(house.held.first)
        house.settle(.dropped(perhapsDelivered: true))
        let tombstone = "\(batch.id.name).1.dropped-perhaps"
        #expect(house.tree.names("sealed/all") == [tombstone])
        house.start()
        #expect(house.held == [])
        house.flush()
        #expect(house.sealed() == event("y", "3"))
        #expect(!house.tree.names("sealed/all").contains(tombstone))
    }

    @Test func `A full disk gets its room back before anything is counted`() throws {
        let house = try SpoolHouse()
        let disk = AlteredFileSystem(house.files)
        house.files = disk
        house.start()
        house.take("e.jsonl", event("a", "1"))
        let batch = try #require(house.held.first)
        disk.full = ["totals.new"]
        house.settle(.dropped(perhapsDelivered: false))
        #expect(house.tree.names("sealed/all") == ["\(batch.id.name).1.dropped"])
        #expect(house.held == [])
        #expect(house.tree.text("totals") == nil)
        // The next look counts it, once.
        disk.full = []
        house.scan()
        #expect(house.lost[Self.all]?.dropped == sums(1, events: 1, bytes: batch.size))
        #expect(try Totals(house.files).connectors == house.lost)
        #expect(house.tree.names("sealed/all") == [])
        #expect(house.failures == [])
    }

    @Test func `What an earlier process could not count is counted at the start, with its record`()
        throws
    {
        let house = try SpoolHouse()
        let disk = AlteredFileSystem(house.files)
        house.files = disk
        house.clock = .seconds(7)
        house.start()
        house.take("e.jsonl", event("a", "1"))
        let batch = try #require(house.held.first)
        disk.full = ["totals.new"]
        house.settle(.discarded(perhapsDelivered: true))
        let lost = sums(1, events: 1, bytes: batch.size, perhaps: 1)
        let time = Timestamp(unixSeconds: house.now)
        let loss = Loss(
            batch: batch.id, kind: .discarded, perhapsDelivered: true, eventType: "a", events: 1,
            bytes: batch.size, offset: batch.offset, accepted: time...time)
        for _ in 0..<2 {
            // The disk is still full, so the next start finds it again.
            house.start()
            #expect(house.held == [])
            #expect(house.lossesFound == [loss])
            #expect(house.lost[Self.all]?.discarded == lost)
        }
        disk.full = []
        house.start()
        #expect(house.lossesFound == [loss])
        #expect(house.lost[Self.all]?.discarded == lost)
        house.start()
        #expect(house.lossesFound == [])
        #expect(house.lost[Self.all]?.discarded == lost)
    }

    @Test func `Damaged totals stop intake and giving up, and what is held is still told`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1"))
        house.tree.write("totals", "x")
        house.start()
        #expect(house.held.count == 1)
        #expect(
            house.failures.map(\.description).first?.hasPrefix("totals in the spool is damaged")
                == true)
        house.settle(.dropped(perhapsDelivered: false))
        #expect(house.held.count == 1)
        #expect(house.envelopes("all").count == 1)
        house.settle(.delivered)
        #expect(house.held == [])
    }

    @Test func `What a connector holds that left the configuration can be discarded`() throws {
        let house = try SpoolHouse([connector("all"), connector("gone", ["x"])])
        house.take("e.jsonl", event("x", "1"))
        house.settle(.delivered)
        house.take("f.jsonl", event("x", "2"))
        house.routing = SpoolHouse.routing([connector("all")])
        house.start()
        #expect(house.held.map(\.id.connector.description) == ["all", "gone"])
        house.settle(.discarded(perhapsDelivered: false))
        #expect(house.held == [])
        let gone = try #require(ConnectorName("gone"))
        #expect(house.lost[gone]?.discarded.events == 1)
        #expect(house.tree.names("sealed/gone") == [])
    }

    // MARK: The clock

    @Test func `A batch is as old as its youngest event, on the spool clock`() throws {
        let house = try SpoolHouse()
        house.clock = .seconds(100)
        house.tree.write("incoming/1.jsonl", event("a", "1"))
        house.scan()
        house.clock = .seconds(200)
        house.now += 5
        house.take("2.jsonl", event("a", "2"))
        let batch = try #require(house.held.first)
        #expect(batch.events == 2)
        #expect(batch.acceptedClock == .seconds(200))
        #expect(batch.accepted.unixSeconds - batch.acceptedFrom.unixSeconds == 5)
        #expect(house.envelopes("all").map(\.acceptedClock) == [.seconds(200)])
        house.clock = .seconds(300)
        house.start()
        #expect(house.held.map(\.acceptedClock) == [.seconds(200)])
        #expect(house.contents?.latestClock == .seconds(200))
    }

    @Test func `A file that is read again counts from then, and the clock never goes back`() throws
    {
        let house = try SpoolHouse()
        house.clock = .seconds(100)
        house.tree.write("incoming/1.jsonl", event("a", "1"))
        house.scan()
        house.clock = .seconds(150)
        house.start()
        house.flush()
        #expect(house.held.map(\.acceptedClock) == [.seconds(150)])
        // A clock that was lost.
        house.clock = .zero
        house.start()
        house.take("2.jsonl", event("a", "2"))
        #expect(house.held.map(\.acceptedClock) == [.seconds(150), .seconds(150)])
    }

    @Test func `An envelope without the clock counts from when it is read`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1"))
        var envelope = try #require(house.envelopes("all").first)
        envelope.acceptedClock = nil
        #expect(Glibc.unlink(house.tree.at(SpoolLayout.envelope(envelope.batch))) == 0)
        house.tree.write(SpoolLayout.envelope(envelope.batch), envelope.text.bytes)
        house.clock = .seconds(77)
        house.start()
        #expect(house.held.map(\.acceptedClock) == [.seconds(77)])
        #expect(house.contents?.latestClock == nil)
    }
}
