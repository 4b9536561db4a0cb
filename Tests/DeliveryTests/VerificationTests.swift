import Model
import Testing

@testable import Delivery

/// Credentials that are new: when they count as verified, and for how long a rejection is no more than pending.
@Suite struct VerificationTests {
    @Test("The first delivery with other credentials is told, the next are not")
    func verified() {
        var bench = Bench()
        #expect(bench.health.isVerified)
        #expect(bench.end(.delivered) == [])
        _ = bench.configure(window: EpisodeTests.hour, isOther: true)
        #expect(!bench.health.isVerified)
        #expect(bench.end(.delivered) == [.verified])
        #expect(bench.end(.delivered) == [])
    }

    @Test(
        "Credentials that never worked are pending for a grace time, tried often, and the window runs",
        arguments: [nil, "a"])
    func pending(eventType: String?) {
        var bench = Bench()
        let disposition = eventType == nil ? Bench.rejected : Bench.denied
        _ = bench.configure(window: EpisodeTests.hour, grace: .seconds(120), isOther: true)
        bench.pass(.seconds(60))
        let began = bench.now
        #expect(
            bench.end(disposition)
                == [.entered(.credentialsPending(eventType: eventType), because: disposition)])
        for _ in 0..<5 {
            bench.pass(.seconds(10))
            #expect(bench.permission == (eventType == nil ? .probe : .full))
            #expect(bench.permission("a") == (eventType == nil ? .full : .probe))
            #expect(bench.end(disposition) == [])
        }
        bench.pass(.seconds(10))
        #expect(
            bench.end(disposition)
                == [.entered(.credentialsFailing(eventType: eventType), because: disposition)])
        #expect(bench.health.episodes[0].waited(from: began, at: bench.now) == .seconds(60))
    }

    @Test("There is no grace for a connector that has delivered, nor after the grace time")
    func noGrace() {
        var bench = Bench()
        _ = bench.configure(window: EpisodeTests.hour, grace: EpisodeTests.hour)
        let failing = Condition.credentialsFailing(eventType: nil)
        #expect(bench.end(Bench.rejected) == [.entered(failing, because: Bench.rejected)])
        var late = Bench()
        _ = late.configure(window: EpisodeTests.hour, grace: .seconds(60), isOther: true)
        late.pass(.seconds(60))
        #expect(late.end(Bench.rejected) == [.entered(failing, because: Bench.rejected)])
    }
}
