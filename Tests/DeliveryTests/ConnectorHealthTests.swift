import Testing

@testable import Delivery

@Suite struct ConnectorHealthTests {
    static let rejected = Bench.rejected
    static let denied = Bench.denied
    static let lost = Bench.lost
    static let noBucket = Disposition.misconfigured(.refused(Cause(code: "NoSuchBucket")))
    static let slow = Disposition.backingOff(.throttled, Cause(code: "SlowDown"), retryAfter: nil)
    static let expired = Disposition.refreshCredentials(Cause(code: "ExpiredToken"))
    static let held = Disposition.batchHeld(.refused(Cause(code: "BadDigest")))

    @Test(
        "A healthy connector sends as much as it can, whatever befalls single batches",
        arguments: [.delivered, held, .conflict(Cause(code: "X")), .aborted] as [Disposition])
    func healthy(disposition: Disposition) {
        var bench = Bench()
        #expect(bench.end(disposition) == [])
        #expect(bench.health.state == .delivering)
        #expect(bench.permission == .full)
        #expect(bench.permission("a") == .full)
    }

    @Test(
        "What needs a person is told at once, then probed slowly",
        arguments: [
            (rejected, Condition.credentialsFailing(eventType: nil)), (noBucket, .misconfigured),
        ])
    func needsPerson(disposition: Disposition, condition: Condition) {
        var bench = Bench()
        #expect(bench.end(disposition) == [.entered(condition, because: disposition)])
        var waits: [Duration] = []
        for _ in 0..<7 {
            guard case .none(let until?) = bench.permission else { break }
            waits.append(until - bench.now)
            #expect(bench.probe(disposition) == [])
        }
        // Three quarters of the bound, as chance says 0.5.
        #expect(waits == [15, 30, 60, 120, 240, 300, 300].map { .seconds($0) * 0.75 })
    }

    @Test(
        "A delivery ends every trouble of the connector, and three more prove it",
        arguments: [rejected, noBucket, lost, slow, expired])
    func recovery(disposition: Disposition) {
        var bench = Bench()
        _ = bench.end(disposition)
        _ = bench.probe(disposition)
        let actions = bench.probe(.delivered)
        let condition = condition(of: disposition)
        #expect(
            actions == [
                .left(condition, after: bench.now - Instant(nanoseconds: 0), failures: 2)
            ])
        #expect(bench.health.state == .delivering)
        for _ in 0..<3 {
            #expect(bench.permission == .oneAtATime)
            #expect(bench.end(.delivered) == [])
        }
        #expect(bench.permission == .full)
    }

    private func condition(of disposition: Disposition) -> Condition {
        switch disposition {
        case .credentials: .credentialsFailing(eventType: nil)
        case .misconfigured: .misconfigured
        case .backingOff(let reason, _, _): .backingOff(reason)
        default: .backingOff(.expired)
        }
    }

    @Test(
        "Only a delivery ends an episode or a misconfiguration",
        arguments: [rejected, noBucket],
        [held, lost, slow, .existing, .answered, .advice(Cause(code: "X")), .aborted])
    func lasting(trouble: Disposition, other: Disposition) {
        var bench = Bench()
        _ = bench.end(trouble)
        #expect(bench.trouble != nil)
        let before = bench.trouble
        _ = bench.probe(other)
        #expect(bench.trouble == before)
        if other != .aborted {
            guard case .none(let until?) = bench.permission else {
                Issue.record("a probe has to be followed by a wait")
                return
            }
            #expect(until - bench.now >= .seconds(7))
        }
    }

    @Test("One lost connection is no news, two in a row are, a thousand are one line")
    func outage() {
        var bench = Bench()
        #expect(bench.end(Self.lost) == [])
        #expect(bench.permission == .none(until: bench.now + .milliseconds(500)))
        #expect(
            bench.probe(Self.lost)
                == [.entered(.backingOff(.unreachable), because: Self.lost)])
        for _ in 0..<1000 { #expect(bench.probe(Self.lost) == []) }
        guard case .backingOff(.unreachable, let trouble, let until) = bench.health.state else {
            Issue.record("the connector is backing off")
            return
        }
        #expect(trouble.failures == 1002)
        #expect(until - bench.now == .seconds(30))
    }

    @Test("A short interruption is over without a word")
    func blip() {
        var bench = Bench()
        #expect(bench.end(Self.lost) == [])
        #expect(bench.probe(.delivered) == [])
        #expect(bench.health.state == .delivering)
    }

    @Test("Two reasons that alternate are told once each")
    func alternating() {
        var bench = Bench()
        var told: [ConnectorHealth.Action] = []
        for _ in 0..<20 {
            for failure in [Self.lost, Self.lost, Self.slow, Self.slow] {
                told +=
                    told.isEmpty && bench.permission == .full
                    ? bench.end(failure) : bench.probe(failure)
            }
        }
        #expect(
            told == [
                .entered(.backingOff(.unreachable), because: Self.lost),
                .entered(.backingOff(.throttled), because: Self.slow),
            ])
        #expect(bench.probe(.delivered).count == 2)
    }

    @Test("An answer of S3 ends an outage, even if it is a rejection")
    func reachableButRejected() {
        var bench = Bench()
        _ = bench.end(Self.lost)
        _ = bench.probe(Self.lost)
        let actions = bench.probe(Self.rejected)
        #expect(
            actions == [
                .left(
                    .backingOff(.unreachable), after: bench.now - Instant(nanoseconds: 0),
                    failures: 2),
                .entered(.credentialsFailing(eventType: nil), because: Self.rejected),
            ])
    }

    @Test("An outage within an episode leaves the episode, and says so itself")
    func outageInEpisode() {
        var bench = Bench()
        _ = bench.end(Self.rejected)
        _ = bench.probe(Self.lost)
        #expect(
            bench.probe(Self.lost)
                == [.entered(.backingOff(.unreachable), because: Self.lost)])
        guard case .credentialsFailing(let episode) = bench.health.state else {
            Issue.record("the episode has to last")
            return
        }
        #expect(episode.trouble.failures == 1)
        #expect(bench.probe(.delivered).count == 2)
    }

    @Test(
        "Uploads that fail together are one failure with a count",
        arguments: [rejected, noBucket, lost])
    func together(disposition: Disposition) {
        var bench = Bench()
        let began = bench.now
        bench.pass(.seconds(1))
        _ = bench.end(disposition, began: began)
        let permission = bench.permission
        for _ in 0..<7 { #expect(bench.end(disposition, began: began) == []) }
        #expect(bench.permission == permission)
        bench.pass(.seconds(1000))
        let actions = bench.end(.delivered)
        if case .left(_, _, let failures)? = actions.first { #expect(failures == 8) }
        #expect(actions.isEmpty == (disposition == Self.lost))
    }

    @Test(
        "A delivery sent before a trouble began does not end it",
        arguments: [rejected, noBucket, slow])
    func stragglers(disposition: Disposition) {
        var bench = Bench()
        let began = bench.now
        bench.pass(.seconds(1))
        _ = bench.end(disposition)
        let state = bench.health.state
        #expect(bench.end(.delivered, began: began) == [])
        #expect(bench.health.state == state)
    }

    @Test("Another fault in one trouble is told, the same one is not")
    func otherFault() {
        var bench = Bench()
        let other = Disposition.credentials(.connector, Cause(code: "SignatureDoesNotMatch"))
        _ = bench.end(Self.rejected)
        #expect(
            bench.probe(other)
                == [.entered(.credentialsFailing(eventType: nil), because: other)])
        #expect(bench.probe(Self.rejected) == [])
        #expect(bench.probe(other) == [])
    }

    @Test("A denied event type waits alone, and its delivery ends the denial")
    func eventType() {
        var bench = Bench()
        let condition = Condition.credentialsFailing(eventType: "a")
        #expect(bench.end(Self.denied) == [.entered(condition, because: Self.denied)])
        #expect(bench.health.state == .delivering)
        #expect(bench.health.deniedEventTypes.map(\.eventType) == ["a"])
        #expect(bench.permission == .full)
        #expect(bench.permission("b") == .full)
        #expect(bench.permission("a") == .none(until: bench.now + .milliseconds(11_250)))
        bench.pass(.seconds(20))
        #expect(bench.permission("a") == .probe)
        #expect(bench.end(.delivered, type: "b") == [])
        #expect(bench.permission("a") == .probe)
        #expect(bench.end(Self.held) == [])
        #expect(bench.permission("a") == .none(until: bench.now + .milliseconds(11_250)))
        bench.pass(.seconds(20))
        #expect(bench.end(.delivered) == [.left(condition, after: .seconds(40), failures: 1)])
        for _ in 0..<3 {
            #expect(bench.permission("a") == .oneAtATime)
            _ = bench.end(.delivered)
        }
        #expect(bench.permission("a") == .full)
        #expect(bench.health.deniedEventTypes == [])
    }

    @Test(
        "New credentials are tried at the next second, S3's wish for peace stands",
        arguments: [
            (rejected, true), (noBucket, true), (lost, true), (expired, true), (slow, false),
        ])
    func newCredentials(disposition: Disposition, hurries: Bool) {
        var bench = Bench()
        _ = bench.end(disposition)
        for _ in 0..<6 { _ = bench.probe(disposition) }
        let before = bench.permission
        bench.health.credentialsChanged(at: bench.now)
        #expect(
            bench.permission == (hurries ? .none(until: bench.now + .seconds(1)) : before))
    }

    @Test("New credentials hurry a denied event type, too, and leave the healthy alone")
    func newCredentialsForEventType() {
        var bench = Bench()
        _ = bench.end(Self.denied)
        bench.health.credentialsChanged(at: bench.now)
        #expect(bench.permission("a") == .none(until: bench.now + .seconds(1)))
        #expect(bench.permission == .full)
    }

    @Test("An expired session asks for a new one each time, and is never a rejection")
    func expiredSession() {
        var bench = Bench()
        #expect(bench.end(Self.expired) == [.refreshCredentials])
        #expect(
            bench.probe(Self.expired)
                == [
                    .refreshCredentials,
                    .entered(.backingOff(.expired), because: Self.expired),
                ])
    }

    @Test("Retry-After is waited for, in an episode too", arguments: [true, false])
    func retryAfter(inEpisode: Bool) {
        var bench = Bench()
        if inEpisode { _ = bench.end(Self.rejected) }
        bench.pass(.seconds(3600))
        _ = bench.end(
            .backingOff(.throttled, Cause(code: "SlowDown"), retryAfter: .seconds(200)))
        guard case .none(let until?) = bench.permission else {
            Issue.record("Retry-After has to be waited for")
            return
        }
        #expect(until - bench.now >= .seconds(200))
    }

    @Test("What waits for a person is told hourly, an outage is not")
    func reminders() {
        var bench = Bench()
        _ = bench.end(Self.noBucket)
        _ = bench.end(Self.denied, type: "z")
        bench.pass(.seconds(3599))
        #expect(bench.health.tick(at: bench.now) == [])
        bench.pass(.seconds(1))
        let start = Instant(nanoseconds: 0)
        #expect(
            bench.health.tick(at: bench.now) == [
                .lasting(.misconfigured, because: Self.noBucket, since: start, failures: 1),
                .lasting(
                    .credentialsFailing(eventType: "z"), because: Self.denied, since: start,
                    failures: 1),
            ])
        #expect(bench.health.tick(at: bench.now) == [])

        var unreachable = Bench()
        _ = unreachable.end(Self.lost)
        unreachable.pass(.seconds(7200))
        #expect(unreachable.health.tick(at: unreachable.now) == [])
    }

    @Test("A pause lets nothing through and leaves troubles as they were")
    func pause() {
        var bench = Bench()
        _ = bench.end(Self.rejected)
        let trouble = bench.trouble
        bench.health.pause(at: bench.now)
        bench.pass(.seconds(7200))
        bench.health.pause(at: bench.now)
        #expect(bench.health.state == .paused(since: Instant(nanoseconds: 0)))
        #expect(bench.permission == .none(until: nil))
        #expect(bench.health.tick(at: bench.now) == [])
        let until = bench.now + .seconds(3600)
        #expect(bench.health.resume(at: bench.now) == [.heldOff(eventType: nil, until: until)])
        #expect(bench.health.resume(at: bench.now) == [])
        #expect(bench.trouble == trouble)
        #expect(bench.permission == .probe)
    }
}
