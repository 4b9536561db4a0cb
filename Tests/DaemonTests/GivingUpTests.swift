import Model
import ScriptedStore
import Spool
import Testing

@testable import Daemon
@testable import Systemd

/// What is given up and what is not, through the whole daemon, with a window of one hour.
@Suite(.timeLimit(.minutes(10)))
struct GivingUpTests {
    private func withPipeline(
        _ change: (inout ConnectorSettings) -> Void = { _ in },
        _ body: @MainActor (Pipeline) async throws -> Void
    ) async throws {
        let pipeline = try Pipeline {
            $0.expireAfter = .seconds(3600)
            change(&$0)
        }
        defer { pipeline.stop() }
        try await pipeline.settle()
        // The credentials have worked once, so that a rejection means what it says.
        try await pipeline.arrive("first")
        #expect(pipeline.delivered() == ["first-cart", "first-order"])
        try await body(pipeline)
    }

    @Test("A denied event type loses its own events alone, and the others flow")
    func denied() async throws {
        try await withPipeline { pipeline in
            try await pipeline.storeAnswers(
                #"{"method": "PUT", "key": "event_type=cart", "times": null, "do": "answer", "status": 403, "code": "AccessDenied"}"#
            )
            try await pipeline.arrive("a")
            try await pipeline.minutes(40)
            try await pipeline.arrive("b")
            #expect(pipeline.delivered().filter { $0.hasSuffix("order") }.count == 3)
            #expect(try pipeline.held() == ["a-cart", "b-cart"])
            let risk = pipeline.outbox.risk(eventType: "cart")
            #expect(risk.held.events == 2)
            try await pipeline.minutes(30)
            #expect(try pipeline.held() == ["b-cart"])
            #expect(pipeline.outbox.losses.dropped.events == 1)
            try await pipeline.storeAnswers(nil)
            try await pipeline.minutes(6)
            #expect(try pipeline.held().isEmpty)
            #expect(
                pipeline.delivered().filter { $0.hasSuffix("cart") } == ["b-cart", "first-cart"])
            #expect(pipeline.journal.lines(.credentialsFailing).count == 1)
            #expect(pipeline.journal.lines(.credentialsRecovered).count == 1)
        }
    }

    @Test("What is archived waits in expired/, and is delivered when somebody says so")
    func archived() async throws {
        try await withPipeline({ $0.onExpiry = .archive }) { pipeline in
            try await pipeline.storeAnswers(pipeline.rejecting)
            try await pipeline.arrive("a")
            try await pipeline.minutes(70)
            #expect(try pipeline.held().isEmpty)
            #expect(pipeline.archived() == ["a-cart", "a-order"])
            #expect(pipeline.outbox.losses.archived.events == 2)
            #expect(pipeline.outbox.losses.dropped.events == 0)
            #expect(pipeline.journal.lines(.eventsArchived).count == 2)
            try await pipeline.storeAnswers(nil)
            try await pipeline.arrive("b")
            try await pipeline.minutes(6)
            let spool = pipeline.daemon.spool
            let sums = await withCheckedContinuation { continuation in
                spool.retryArchived(Pipeline.name, batch: nil) {
                    continuation.resume(returning: try? $0.get())
                }
            }
            #expect(sums?.events == 2)
            try await pipeline.minutes(2)
            #expect(pipeline.archived().isEmpty)
            #expect(Set(pipeline.delivered()) == pipeline.arrived)
        }
    }

    @Test("More is dropped than one turn takes, each event once")
    func many() async throws {
        try await withPipeline({ $0.batch.maxEvents = 1 }) { pipeline in
            try await pipeline.storeAnswers(pipeline.rejecting)
            try await pipeline.arrive("a", each: 400)
            try await pipeline.minutes(30)
            try await pipeline.arrive("b")
            #expect(pipeline.outbox.totals.held.events == 802)
            try await pipeline.minutes(40)
            #expect(try pipeline.held() == ["b-cart", "b-order"])
            #expect(pipeline.outbox.totals.held == pipeline.outbox.risk(eventType: nil).held)
            #expect(pipeline.outbox.totals.held.objects == 2)
            #expect(pipeline.outbox.losses.dropped.events == 800)
            let lines = pipeline.journal.lines(.eventsDropped)
            #expect(lines.reduce(0) { $0 + $1.number(.droppedEvents) } == 800)
            #expect(lines.count < 10)
        }
    }

    @Test("Intake that fails while batches are given up costs and counts none twice")
    func failing() async throws {
        try await withPipeline({ $0.batch.maxEvents = 1 }) { pipeline in
            try await pipeline.storeAnswers(pipeline.rejecting)
            try await pipeline.arrive("a", each: 400)
            let sums = pipeline.outbox.discardAll()
            // One may be under way.
            #expect(sums.events >= 799)
            try await pipeline.failIntake()
            try await pipeline.minutes(1)
            let held = try pipeline.held()
            #expect(held.count == 800 - sums.events)
            #expect(pipeline.outbox.totals.held.events == held.count)
            #expect(Int(pipeline.outbox.losses.discarded.events) == sums.events)
            let lines = pipeline.journal.lines(.eventsDiscarded)
            #expect(lines.reduce(0) { $0 + $1.number(.droppedEvents) } == sums.events)
        }
    }

    @Test(
        "A batch at fault waits for a person while the credentials work, and is at risk while they fail"
    )
    func atFault() async throws {
        try await withPipeline { pipeline in
            let refusing =
                #"{"method": "PUT", "key": "event_type=cart", "times": null, "do": "answer", "status": 400, "code": "KeyTooLongError"}"#
            try await pipeline.storeAnswers(refusing)
            try await pipeline.arrive("a")
            try await pipeline.arrive("b")
            try await pipeline.minutes(200)
            #expect(pipeline.outbox.atFaultCount == 2)
            #expect(try pipeline.held() == ["a-cart", "b-cart"])
            #expect(pipeline.journal.lines(.batchHeld).count == 2)
            // After a reload both are tried again.
            try await pipeline.reload()
            #expect(pipeline.journal.lines(.batchHeld).count == 4)

            try await pipeline.storeAnswers(pipeline.rejecting)
            try await pipeline.arrive("c")
            try await pipeline.minutes(30)
            #expect(pipeline.outbox.risk(eventType: nil).held.events == 4)
            #expect(pipeline.outbox.risk(eventType: "cart").held.events == 3)
            try await pipeline.minutes(40)
            #expect(try pipeline.held().isEmpty)
            #expect(pipeline.outbox.isEmpty)
            #expect(pipeline.outbox.losses.dropped.events == 4)
        }
    }

    @Test(
        "A batch whose answer was lost counts as perhaps delivered, over a restart too",
        arguments: [false, true])
    func uncertain(_ restarts: Bool) async throws {
        try await withPipeline({ $0.batch.maxEvents = 1 }) { pipeline in
            // libcurl may ask again once by itself.
            try await pipeline.storeAnswers(
                #"{"method": "PUT", "times": 2, "do": "lose"}, "# + pipeline.rejecting)
            try await pipeline.arrive("a", each: 1)
            try await pipeline.minutes(5)
            try await pipeline.arrive("b", each: 20)
            if restarts { try await pipeline.restart() }
            try await pipeline.minutes(80)
            #expect(try pipeline.held().isEmpty)
            let losses = pipeline.outbox.losses.dropped
            #expect(losses.events == 42)
            let stored = Set(pipeline.delivered()).subtracting(["first-cart", "first-order"])
            #expect(!stored.isEmpty)
            let atRestart = restarts ? 2 * Outbox.mostUnderWay : 0
            #expect(losses.perhapsDelivered >= stored.count)
            #expect(losses.perhapsDelivered <= 2 + atRestart)
        }
    }

    @Test("What somebody discards is recorded, and not what arrives after it")
    func discarded() async throws {
        try await withPipeline { pipeline in
            pipeline.outbox.pause()
            pipeline.outbox.pause()
            try await pipeline.arrive("a")
            try await pipeline.minutes(500)
            #expect(try pipeline.held().count == 2)
            let waited = pipeline.outbox.totals.held
            #expect(pipeline.outbox.discardAll() == waited)
            #expect(pipeline.outbox.totals.held == BatchSums())
            try await pipeline.settle()
            try await pipeline.arrive("b")
            #expect(try pipeline.held() == ["b-cart", "b-order"])
            #expect(pipeline.outbox.losses.discarded.events == 2)
            #expect(pipeline.journal.lines(.eventsDiscarded).count == 2)
            pipeline.outbox.resume()
            pipeline.outbox.resume()
            try await pipeline.settle()
            #expect(pipeline.delivered().contains("b-cart"))
            #expect(!pipeline.delivered().contains("a-cart"))
            #expect(pipeline.journal.lines(.connectorPaused).count == 1)
            #expect(pipeline.journal.lines(.connectorResumed).count == 1)
        }
    }

    @Test(
        "A connector that left the configuration loses nothing, and is warned of when it comes back"
    )
    func away() async throws {
        try await withPipeline { pipeline in
            try await pipeline.storeAnswers(pipeline.rejecting)
            try await pipeline.arrive("a")
            try await pipeline.minutes(10)
            var removed: [ConnectorSettings] = []
            try await pipeline.reload {
                removed = $0
                $0 = []
            }
            let before = pipeline.journal.lines.count
            try await pipeline.minutes(200)
            #expect(pipeline.journal.lines.count == before)
            try await pipeline.restart(offMinutes: 100)
            #expect(try pipeline.held() == ["a-cart", "a-order"])
            #expect(!pipeline.journal.lines.contains { $0.entry.kind == .credentialsStillFailing })
            try await pipeline.reload { $0 = removed }
            #expect(pipeline.journal.lines(.dropsHeldOff).count == 1)
            try await pipeline.minutes(5)
            #expect(try pipeline.held() == ["a-cart", "a-order"])
            try await pipeline.minutes(6)
            #expect(try pipeline.held().isEmpty)
            #expect(pipeline.outbox.losses.dropped.events == 2)
        }
    }
}
