import Batching
import Files
import Model
import Support
import Synchronization
import Testing

@testable import Spool

/// What the spool keeps for the owner of delivery, and the names and texts that it keeps it in.
@Suite struct NoteTests {
    private func episodes(_ value: Int, version: Int = 1) -> CheckedText {
        var text = CheckedText(kind: "episodes", version: version)
        text.add("value", value)
        return text
    }

    @Test func `Of the states of episodes that wait, the newest is kept`() throws {
        let house = try SpoolHouse()
        #expect(try Spool.readEpisodes(house.files) == nil)
        let done = Mutex(0)
        for value in 1...5 {
            house.spool?.keepEpisodes(episodes(value)) { failure in
                #expect(failure == nil)
                done.withLock { $0 += 1 }
            }
        }
        house.run()
        #expect(done.withLock { $0 } == 5)
        #expect(try Spool.readEpisodes(house.files) == episodes(5))
    }

    @Test func `A state of episodes that cannot be written is said to each who waits`() throws {
        let house = try SpoolHouse()
        let disk = AlteredFileSystem(house.files)
        disk.full = ["episodes.new"]
        house.files = disk
        house.start()
        let failures = Mutex(0)
        for value in 1...2 {
            house.spool?.keepEpisodes(episodes(value)) { failure in
                if failure?.isDiskFull == true { failures.withLock { $0 += 1 } }
            }
        }
        house.run()
        #expect(failures.withLock { $0 } == 2)
    }

    @Test func `A damaged or newer state of episodes is refused`() throws {
        let house = try SpoolHouse()
        house.tree.write("episodes", "x")
        #expect(throws: SpoolFailure.self) { try Spool.readEpisodes(house.files) }
        let other = try SpoolHouse()
        other.tree.write("episodes", episodes(1, version: 2).bytes)
        #expect(throws: SpoolFailure.newer(path: "episodes", version: 2)) {
            try Spool.readEpisodes(other.files)
        }
    }

    // MARK: Uncertain batches

    @Test func `An uncertain batch is one after a restart, until it is settled`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", "{\"event_type\":\"a\",\"id\":\"1\"}\n")
        house.take("f.jsonl", "{\"event_type\":\"a\",\"id\":\"2\"}\n")
        let ids = house.held.map(\.id)
        let gone = BatchID(connector: ids[0].connector, first: Position(file: 99, offset: 0))
        let done = Mutex(false)
        house.spool?.markUncertain([ids[1], gone]) { failure in
            done.withLock { $0 = failure == nil }
        }
        house.run()
        #expect(done.withLock { $0 })
        house.start()
        #expect(house.held.map(\.id) == ids)
        #expect(house.held.map(\.isUncertain) == [false, true])
        house.settle(.delivered)
        #expect(house.tree.names("sealed/all") == [])
    }

    // MARK: Names and texts

    @Test(arguments: [
        ("0000000000000001-00000000000a.object", SealedName.Kind.object),
        ("0000000000000001-00000000000a.envelope", .envelope),
        ("0000000000000001-00000000000a.uncertain", .uncertain),
        ("0000000000000001-00000000000a.delivered", .delivered),
        (
            "0000000000000001-00000000000a.17.dropped",
            .loss(LossName(number: 17, kind: .dropped, perhapsDelivered: false))
        ),
        (
            "0000000000000001-00000000000a.18.archived-perhaps",
            .loss(LossName(number: 18, kind: .archived, perhapsDelivered: true))
        ),
        (
            "0000000000000001-00000000000a.9.unarchived",
            .loss(LossName(number: 9, kind: .discardedFromArchive, perhapsDelivered: false))
        ),
    ])
    func `A name says which batch it belongs to, and what it is`(
        text: String, kind: SealedName.Kind
    ) {
        #expect(SealedName(text) == SealedName(Position(file: 1, offset: 10), kind))
    }

    @Test(arguments: [
        "", ".object", "0000000000000001.object", "0000000000000001-00000000000a",
        "0000000000000001-00000000000a.envelope.new", "0000000000000001-00000000000A.object",
        "0000000000000001-00000000000a.objects", "0000000000000001-00000000000a.x.dropped",
        "0000000000000001-00000000000a.1.lost", "0000000000000001-00000000000a.1.dropped.2",
        "0000000000000001x00000000000a.object",
    ])
    func `A name that is none of ours is no name of a batch`(text: String) {
        #expect(SealedName(text) == nil)
    }

    @Test func `A summary says what its envelope says, and misses what it lacks`() throws {
        let house = try SpoolHouse()
        house.clock = .milliseconds(1234)
        house.take("e.jsonl", "{\"event_type\":\"a\",\"id\":\"1\"}\n")
        let envelope = try #require(house.envelopes("all").first)
        #expect(try EnvelopeSummary(envelope.text.bytes) == EnvelopeSummary(envelope))
        for left in envelope.text.lines {
            var text = CheckedText(kind: "envelope")
            for line in envelope.text.lines where line.key != left.key {
                text.add(line.key, line.value)
            }
            let isNeeded = !["key", "sha256", "crc32", "content-type", "schema-id"].contains(
                left.key)
            if isNeeded, left.key != "accepted-clock" {
                #expect(throws: CheckedText.Fault.missing(key: left.key)) {
                    try EnvelopeSummary(text.bytes)
                }
            } else {
                _ = try EnvelopeSummary(text.bytes)
            }
        }
        for value in ["", "-", "1x", "18446744073709551616", "-1"] {
            var text = CheckedText(kind: "envelope")
            for line in envelope.text.lines {
                text.add(line.key, line.key == "events" ? value : line.value)
            }
            #expect(throws: CheckedText.Fault.damaged("events is no number")) {
                try EnvelopeSummary(text.bytes)
            }
        }
    }
}
