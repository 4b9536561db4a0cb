import Delivery
import Model
import ScriptedStore
import Spool
import Testing

@testable import Daemon
@testable import Systemd

/// Sixty hours of rejected credentials, from files to the bucket, in seconds.
@Suite(.timeLimit(.minutes(10)))
struct LongEpisodeTests {
    @Test(
        "In 60 hours of rejections exactly the events whose window is over are dropped",
        arguments: [48, 120])
    func episode(_ window: Int) async throws {
        let pipeline = try Pipeline { $0.expireAfter = .seconds(window * 3600) }
        defer { pipeline.stop() }
        try await pipeline.settle()
        var story = Story(pipeline, window: window * 60)
        try await story.run()

        let lost = story.rule.lost
        #expect(lost.isEmpty == (window == 120))
        let delivered = pipeline.delivered()
        #expect(Set(delivered) == pipeline.arrived.subtracting(lost))
        #expect(delivered.count == Set(delivered).count)
        #expect(try pipeline.held().isEmpty)
        try checkLosses(story)
        checkJournal(story)
        try await checkProbes(pipeline)
    }

    /// What went when, and how it was told.
    struct Story {
        let pipeline: Pipeline
        var rule: WindowRule
        /// Events that an attempt may have stored although nobody heard of it.
        var perhapsStored: Set<String> = []
        var hoursTold = 0

        static let rejected = 60, paused = 600..<900, outage = 1200..<1380
        /// The hourly reminders begin anew there, so that none falls on a part of the window.
        static let restarted = [1825, 2225]
        static let clockSet = 2000, off = 3450..<3570, mended = 3750

        init(_ pipeline: Pipeline, window: Int) {
            self.pipeline = pipeline
            rule = WindowRule(window: window)
        }

        mutating func run() async throws {
            while pipeline.time.minutes < Self.mended + 30 {
                let now = pipeline.time.minutes
                try await happen(now)
                if now % 60 == 0 {
                    let before = pipeline.arrived
                    try await pipeline.arrive("h\(now / 60)")
                    if now >= Self.rejected, now < Self.mended {
                        rule.arrived(pipeline.arrived.subtracting(before))
                    }
                }
                try await pipeline.minute()
                if now >= Self.rejected, now < Self.mended {
                    let counts = !Self.paused.contains(now) && !Self.outage.contains(now)
                    rule.minute(at: now, counts: counts)
                }
                if pipeline.time.minutes % 60 == 55 { try reconcile(pipeline.time.minutes) }
            }
        }

        private mutating func happen(_ now: Int) async throws {
            switch now {
            case Self.rejected, Self.outage.upperBound:
                try await pipeline.storeAnswers(pipeline.rejecting)
            case Self.paused.lowerBound:
                pipeline.outbox.pause()
            case Self.paused.upperBound:
                pipeline.outbox.resume()
                rule.mercy = 60
            case Self.outage.lowerBound:
                try await pipeline.storeAnswers(Pipeline.unreachable)
            case let start where Self.restarted.contains(start):
                try noteAttempted()
                try await pipeline.restart()
            case Self.clockSet:
                pipeline.setWall(ahead: 400 * 86_400)
                try await pipeline.storeAnswers(pipeline.rejecting)
            case Self.off.lowerBound:
                try noteAttempted()
                try await pipeline.restart(offMinutes: Self.off.count)
                for minute in Self.off { rule.minute(at: minute, counts: true, isOff: true) }
                rule.mercy = 60
            case Self.mended:
                try await pipeline.storeAnswers(nil)
                rule.delivered()
            default: break
            }
        }

        /// A process that ends may have left attempts under way: of each event type, at the oldest.
        private mutating func noteAttempted() throws {
            for type in ["cart", "order"] {
                let events = try pipeline.held().filter { $0.hasSuffix(type) }
                    .sorted { Self.hour($0) < Self.hour($1) }
                perhapsStored.formUnion(events.prefix(Outbox.mostUnderWay))
            }
        }

        private static func hour(_ event: String) -> Int {
            Int(event.dropFirst().prefix { $0 != "-" }) ?? -1
        }

        /// Every event is in one place, and nowhere twice.
        private func reconcile(_ now: Int) throws {
            // Nothing that is decided by the quarter of an hour that a probe may take.
            try #require(now - rule.lostAt > 15)
            let (held, delivered) = (try pipeline.held(), pipeline.delivered())
            let kept = Set(held).union(delivered)
            #expect(kept.count == held.count + delivered.count)
            #expect(pipeline.arrived.subtracting(kept) == rule.lost, "minute \(now)")
            let outbox = pipeline.outbox
            #expect(outbox.totals.held.events == held.count)
            #expect(Int(outbox.losses.dropped.events) == rule.lost.count)
            #expect(
                pipeline.journal.lines(.eventsDropped).reduce(0) { $0 + $1.number(.droppedEvents) }
                    == rule.lost.count)
        }
    }

    private func checkLosses(_ story: Story) throws {
        let losses = story.pipeline.outbox.losses
        #expect(losses.archived.objects == 0 && losses.discarded.objects == 0)
        #expect(Int(losses.dropped.objects) == story.rule.lost.count)
        let perhaps = story.rule.lost.intersection(story.perhapsStored)
        #expect(perhaps.count < story.rule.lost.count || story.rule.lost.isEmpty)
        #expect(Int(losses.dropped.perhapsDelivered) == perhaps.count)
        let lines = story.pipeline.journal.lines(.eventsDropped)
        #expect(lines.reduce(0) { $0 + $1.number(.perhapsDelivered) } == perhaps.count)
        #expect(!story.pipeline.outbox.hasEpisode)
    }

    private func checkJournal(_ story: Story) {
        let journal = story.pipeline.journal
        let failing = journal.lines(.credentialsStillFailing)
        for (part, minute) in story.rule.reached {
            #expect(
                failing.contains { abs($0.minute - minute) <= 8 }, "\(part) % at minute \(minute)")
        }
        // Hourly, but for the pause and what the machine was off; and at each start and the end of the pause.
        let hours = (Story.mended - Story.rejected - Story.paused.count - Story.off.count) / 60
        #expect(failing.count <= hours + story.rule.reached.count + 4)
        #expect(failing.count >= hours - 10)
        // What was told at a start knew what waits.
        #expect(failing.allSatisfy { $0.number(.atRiskEvents) > 0 })
        #expect(journal.lines(.dropsHeldOff).count == (story.rule.lost.isEmpty ? 0 : 1))
        #expect(journal.lines(.credentialsFailing).count == 1)
        #expect(journal.lines(.credentialsRecovered).count == 1)
        #expect(journal.lines(.unreachable).count == 1)
        let others = journal.lines.filter { $0.entry.kind != .objectDelivered }
        #expect(others.count < failing.count + 40, "\(others.map(\.entry.kind))")
    }

    /// At most one attempt in a probe interval.
    private func checkProbes(_ pipeline: Pipeline) async throws {
        let probes = try await pipeline.server.log().requests
            .filter { $0.method == "PUT" && $0.rule != nil }
            .compactMap { $0.header("x-amz-date").flatMap(Self.seconds) }
        let gaps = zip(probes, probes.dropFirst()).map { $1 - $0 }
        #expect(probes.count > 500)
        #expect(gaps.count { (0..<150).contains($0) } < 40)
        #expect(gaps.count { $0 > 420 } < 8)
    }

    /// Of a day and a time such as 20261122T180000Z; only differences within a month are right.
    private static func seconds(_ text: String) -> Int? {
        let digits = text.filter(\.isNumber)
        guard digits.count == 14, let number = Int(digits) else { return nil }
        let (day, clock) = (number / 1_000_000, number % 1_000_000)
        let days = day / 10_000 * 372 + day / 100 % 100 * 31 + day % 100
        return days * 86_400 + clock / 10_000 * 3600 + clock / 100 % 100 * 60 + clock % 100
    }
}
