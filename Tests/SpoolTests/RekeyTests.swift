import Batching
import Files
import Model
import Support
import Synchronization
import Testing

@testable import Spool

/// New keys for batches whose keys somebody else has used.
@Suite struct RekeyTests {
    /// A spool with two held batches.
    private func house() throws -> SpoolHouse {
        let house = try SpoolHouse()
        house.take("e.jsonl", "{\"event_type\":\"a\",\"id\":\"1\"}\n")
        house.take("f.jsonl", "{\"event_type\":\"b\",\"id\":\"2\"}\n")
        return house
    }

    private func rekey(_ batches: [HeldBatch], in house: SpoolHouse) -> Spool.Rekeyed? {
        let answer = Mutex<Spool.Rekeyed?>(nil)
        house.spool?.rekey(batches) { result in answer.withLock { $0 = result } }
        house.run()
        return answer.withLock { $0 }
    }

    @Test(arguments: [true, false])
    func `A batch gets a key in the partition of today, and keeps everything else`(
        isRestarted: Bool
    ) throws {
        let house = try house()
        let before = house.envelopes("all")
        house.routing.partition = 7
        if isRestarted { house.start() } else { house.spool?.change(to: house.routing) }
        house.run()
        let answer = rekey([house.held[0]], in: house)
        let rekeyed = try #require(answer?.batches.first)
        #expect(answer?.failure == nil)
        #expect(rekeyed.old == before[0].key)
        var expected = before[0]
        expected.key = rekeyed.new
        expected.offset = rekeyed.batch.offset
        #expect(expected.offset > before[0].offset)
        #expect(expected.key.contains("+7+\(expected.offset)."))
        #expect(house.envelopes("all") == [expected, before[1]])
        #expect(rekeyed.batch.isFromEarlierProcess)
        // It is durable: the next life holds both, each with its bytes.
        house.start()
        #expect(house.envelopes("all") == [expected, before[1]])
        #expect(house.held.map(\.offset) == [expected.offset, before[1].offset])
        #expect(house.sealed().contains("\"id\":\"1\""))
    }

    @Test func `No offset is used twice`() throws {
        let house = try house()
        var offsets = house.envelopes("all").filter { $0.eventType == "a" }.map(\.offset)
        for _ in 0..<3 {
            let answer = rekey([house.held[0]], in: house)
            offsets.append(try #require(answer?.batches.first).batch.offset)
        }
        house.take("g.jsonl", "{\"event_type\":\"a\",\"id\":\"3\"}\n")
        let last = house.envelopes("all").last { $0.eventType == "a" }
        offsets.append(try #require(last).offset)
        #expect(Set(offsets).count == 5)
    }

    @Test func `A batch without its object keeps its key, for it may be delivered`() throws {
        let house = try house()
        let before = house.envelopes("all")
        try house.files.remove(before[0].objectPath)
        let answer = rekey([house.held[0]], in: house)
        #expect(answer?.batches.isEmpty == true)
        #expect(answer?.failure != nil)
        #expect(house.envelopes("all") == before)
    }

    @Test func `A batch that is settled meanwhile is left alone`() throws {
        let house = try house()
        let batch = house.held[0]
        house.settle(.delivered)
        let answer = rekey([batch], in: house)
        #expect(answer?.batches.isEmpty == true)
        #expect(answer?.failure != nil)
        #expect(house.envelopes("all") == [])
    }
}
