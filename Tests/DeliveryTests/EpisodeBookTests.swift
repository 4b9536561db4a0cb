import Model
import Testing

@testable import Delivery

@Suite struct EpisodeBookTests {
    private static func at(_ seconds: Int64) -> Instant {
        Instant(nanoseconds: seconds * 1_000_000_000 + 7)
    }

    /// One of everything that can be kept.
    private static func full() throws -> EpisodeBook {
        var whole = Episode(
            eventType: nil,
            because: .credentials(.connector, Cause(code: "InvalidToken", message: "one\ntwo")),
            sent: at(9), at: at(10))
        whole.trouble.failures = 12
        whole.timeline = EpisodeTimeline(
            began: at(10),
            stops: [.init(from: at(20), to: at(30)), .init(from: at(40), to: at(50))],
            credits: [.init(at: at(35), by: .seconds(400))], standsSince: at(60))
        whole.rejected = at(55)
        whole.dated = .init(sent: at(55), date: Timestamp(unixSeconds: 1_795_000_000))
        whole.bootedAt = at(58)
        whole.nothingBefore = at(3_658)
        whole.told = 75
        let denied = Episode(
            eventType: "shop.Order", because: .credentials(.eventType, Cause(code: "AccessDenied")),
            sent: at(11), at: at(12))
        var record = HealthRecord()
        record.isVerified = true
        record.window = .seconds(120 * 3600)
        record.pausedSince = at(70)
        record.silentSince = at(59)
        record.episodes = [whole, denied]
        let names = try [#require(ConnectorName("orders")), #require(ConnectorName("payments"))]
        return EpisodeBook(
            clock: SpoolClock(after: nil, boot: "c0ffee", bootTime: .seconds(5))
                .stamped(at: .seconds(88)),
            entries: [
                .init(connector: names[0], destination: "s3://acme-events", record: record),
                .init(connector: names[1], destination: "", record: HealthRecord()),
            ])
    }

    private static func read(_ bytes: [UInt8]) throws -> EpisodeBook {
        try EpisodeBook(CheckedText(bytes, kind: EpisodeBook.kind))
    }

    @Test("A book is read as it was written")
    func roundTrip() throws {
        let book = try Self.full()
        let copy = try Self.read(book.text.bytes)
        #expect(copy == book)
        #expect(copy.text == book.text)
    }

    @Test("A book that was torn or altered anywhere is refused")
    func damage() throws {
        let bytes = try Self.full().text.bytes
        for index in bytes.indices {
            var altered = bytes
            altered[index] ^= 1
            #expect(throws: CheckedText.Fault.self) { try Self.read(altered) }
            #expect(throws: CheckedText.Fault.self) { try Self.read(Array(bytes[..<index])) }
        }
    }

    @Test(
        "A value that is none is refused by its name",
        arguments: [
            ("window", "soon", "window is no number"), ("paused", "", "paused is no number"),
            ("stop", "1", "stop is not two numbers"),
            ("credit", "1 2 3", "credit is not two numbers"),
            ("dated", "a b", "dated is not two numbers"), ("clock", "x", "clock is no number"),
            ("connector", "Not A Name", "\"Not A Name\" is no connector's name"),
        ])
    func wrongValue(key: String, value: String, reason: String) throws {
        var text = CheckedText(kind: EpisodeBook.kind)
        for line in try Self.full().text.lines {
            text.add(line.key, line.key == key ? value : line.value)
        }
        #expect(throws: CheckedText.Fault.damaged(reason)) { try EpisodeBook(text) }
    }

    @Test(
        "A line that has to be there is missed",
        arguments: ["clock", "boot", "boot-time", "began", "since", "rejected"])
    func missingLine(key: String) throws {
        var text = CheckedText(kind: EpisodeBook.kind)
        for line in try Self.full().text.lines where line.key != key {
            text.add(line.key, line.value)
        }
        #expect(throws: CheckedText.Fault.missing(key: key)) { try EpisodeBook(text) }
    }

    @Test("A record is empty until there is something that would be missed")
    func empty() {
        var health = ConnectorHealth(at: Self.at(0))
        #expect(health.record.isEmpty)
        health.pause(at: Self.at(0))
        #expect(!health.record.isEmpty)
    }
}
