import Model
import Testing

@testable import Delivery

/// The rules of the window, one by one; `WindowModelTests` has them all at once.
@Suite struct EpisodeTests {
    static let start = Instant(nanoseconds: 0)
    static let hour = Duration.seconds(3600)

    /// In an episode since zero, the window as given.
    private static func failing(
        window: Duration = .seconds(48 * 3600), _ disposition: Disposition = Bench.rejected
    ) -> Bench {
        var bench = Bench()
        _ = bench.configure(window: window)
        _ = bench.end(disposition)
        return bench
    }

    // MARK: Dropping

    @Test(
        "An event is given up after a whole window, once a probe that was sent then is rejected",
        arguments: [48, 120] as [Int64], [Bench.rejected, Bench.denied])
    func window(hours: Int64, disposition: Disposition) {
        var bench = Self.failing(window: .seconds(hours * 3600), disposition)
        let later = bench.now + .seconds(47 * 3600)
        bench.pass(.seconds(hours * 3600 - 1))
        _ = bench.end(disposition)
        #expect(!bench.hasLost(Self.start))
        bench.pass(.seconds(1))
        #expect(bench.firstDrop(Self.start) == bench.now)
        #expect(!bench.hasLost(Self.start))
        _ = bench.end(disposition)
        #expect(bench.hasLost(Self.start))
        #expect(!bench.hasLost(Self.start + .nanoseconds(1)))
        // What was accepted in hour 47 lives a window from then.
        #expect(bench.firstDrop(later) == later + .seconds(hours * 3600))
    }

    @Test("A probe sent before the window was over proves nothing, however late its answer")
    func lateAnswer() {
        var bench = Self.failing(window: Self.hour)
        bench.pass(.seconds(3599))
        let sent = bench.now
        bench.pass(Self.hour)
        _ = bench.end(Bench.rejected, began: sent)
        #expect(!bench.hasLost(Self.start))
        _ = bench.end(Bench.rejected)
        #expect(bench.hasLost(Self.start))
    }

    @Test("A denied event type loses its own events only, the connector's episode any")
    func scopes() {
        var bench = Self.failing(window: Self.hour, Bench.denied)
        bench.pass(Self.hour)
        _ = bench.end(Bench.denied)
        #expect(bench.hasLost(Self.start, type: "a"))
        #expect(!bench.hasLost(Self.start, type: "b"))
        #expect(bench.firstDrop(Self.start, type: "b") == nil)
        var whole = Self.failing(window: Self.hour)
        whole.pass(Self.hour)
        _ = whole.end(Bench.rejected, type: "c")
        #expect(whole.hasLost(Self.start, type: "b"))
    }

    @Test(
        "Nothing but rejected credentials gives events up",
        arguments: ExplanationTests.every + [
            Bench.lost, .backingOff(.serverError, Cause(code: "HTTP 502"), retryAfter: nil),
        ])
    func others(disposition: Disposition) {
        var bench = Self.failing(window: Self.hour)
        for _ in 0..<10 {
            bench.pass(Self.hour)
            _ = bench.end(disposition)
            #expect(!bench.hasLost(Self.start))
        }
    }

    @Test("Credentials that work once a day never drop anything")
    func onceADay() {
        var bench = Self.failing()
        for hours in 1...200 {
            bench.pass(Self.hour)
            _ = bench.end(hours % 24 == 0 ? .delivered : Bench.rejected)
            #expect(!bench.hasLost(Self.start))
        }
    }

    @Test(
        "A delivery ends an episode though credentials were changed while it was under way",
        arguments: [Bench.rejected, Bench.denied])
    func deliveryUnderWay(disposition: Disposition) {
        var bench = Self.failing(disposition)
        bench.pass(.seconds(60))
        let sent = bench.now
        bench.pass(.seconds(1))
        bench.health.credentialsChanged(at: bench.now)
        _ = bench.end(.delivered, began: sent)
        #expect(bench.health.episodes.isEmpty)
    }

    @Test(
        "A delivery that was sent before the first rejection does not contradict it",
        arguments: [Bench.rejected, Bench.denied])
    func deliveryBefore(disposition: Disposition) {
        var bench = Bench()
        let sent = bench.now
        bench.pass(.seconds(1))
        _ = bench.end(disposition)
        _ = bench.end(.delivered, began: sent)
        #expect(bench.health.episodes.count == 1)
    }

    // MARK: Standing

    static let silences: [(Disposition, Bool)] = [
        (Bench.lost, true),
        (.backingOff(.expired, ExplanationTests.cause, retryAfter: nil), true),
        (.misconfigured(.local("the secret is missing")), true),
        (.backingOff(.serverError, Cause(code: "HTTP 502"), retryAfter: nil), true),
        (.backingOff(.throttled, Cause(code: "HTTP 429"), retryAfter: nil), true),
        (.backingOff(.serverError, ExplanationTests.cause, retryAfter: nil), false),
        (.backingOff(.throttled, ExplanationTests.cause, retryAfter: nil), false),
        (.misconfigured(.refused(ExplanationTests.cause)), false),
        (.refreshCredentials(ExplanationTests.cause), false),
        (.conflict(ExplanationTests.cause), false),
        (.aborted, false), (.batchHeld(.damaged("x")), false),
    ]

    @Test("The clock stands from where nobody answers to the next answer", arguments: silences)
    func silence(disposition: Disposition, stands: Bool) {
        var bench = Self.failing()
        bench.pass(Self.hour)
        _ = bench.end(disposition)
        #expect(bench.health.episodes[0].isStanding == stands)
        bench.pass(Self.hour)
        _ = bench.end(.aborted)
        #expect(bench.health.episodes[0].isStanding == stands)
        _ = bench.end(.conflict(ExplanationTests.cause))
        bench.pass(Self.hour)
        let waited = bench.health.episodes[0].waited(from: Self.start, at: bench.now)
        #expect(waited == Self.hour * (stands ? 2 : 3))
    }

    @Test(
        "A pause does not count, not even what is answered or begins in it",
        arguments: [true, false])
    func pause(isInEpisode: Bool) {
        var bench = Bench()
        if isInEpisode { _ = bench.end(Bench.rejected) }
        bench.pass(.seconds(60))
        let sent = bench.now
        bench.health.pause(at: bench.now)
        _ = bench.end(Bench.rejected, began: sent)
        _ = bench.end(Bench.denied, began: sent)
        bench.pass(Self.hour)
        #expect(bench.health.episodes.map(\.isStanding) == [true, true])
        _ = bench.health.resume(at: bench.now)
        let waited = bench.health.episodes.map { $0.waited(from: Self.start, at: bench.now) }
        #expect(waited == [isInEpisode ? .seconds(60) : .zero, .zero])
    }

    @Test("A pause in a silence ends without ending it, and a silence in a pause likewise")
    func pauseInSilence() {
        var bench = Self.failing()
        _ = bench.end(Bench.lost)
        bench.health.pause(at: bench.now)
        _ = bench.health.resume(at: bench.now)
        #expect(bench.health.episodes[0].isStanding)
        bench.health.pause(at: bench.now)
        _ = bench.end(.conflict(ExplanationTests.cause))
        #expect(bench.health.episodes[0].isStanding)
        _ = bench.health.resume(at: bench.now)
        #expect(!bench.health.episodes[0].isStanding)
    }

    // MARK: Notice

    enum Event: CaseIterable { case boot, resume, lowered, sleep }

    @Test(
        "After a boot, a pause, a sleep or a lowered window an hour's notice is given, or a tenth of it",
        arguments: Event.allCases, [(48, 3600), (10, 3600), (5, 1800)] as [(Int64, Int64)])
    func notice(event: Event, times: (hours: Int64, notice: Int64)) throws {
        let window = Duration.seconds(times.hours * 3600)
        var bench = Self.failing(window: event == .lowered ? window * 2 : window)
        bench.pass(window)
        if event != .lowered { _ = bench.end(Bench.rejected) }
        var actions: [ConnectorHealth.Action] = []
        switch event {
        case .boot: actions = try bench.restart(hasBooted: true)
        case .resume:
            bench.health.pause(at: bench.now)
            actions = bench.health.resume(at: bench.now)
        case .lowered:
            _ = bench.end(Bench.rejected)
            actions = bench.configure(window: window)
        case .sleep: actions = bench.health.slept(at: bench.now)
        }
        let until = bench.now + .seconds(times.notice)
        #expect(actions.last == .heldOff(eventType: nil, until: until))
        _ = bench.end(Bench.rejected)
        bench.pass(.seconds(times.notice - 1))
        _ = bench.end(Bench.rejected)
        #expect(!bench.hasLost(Self.start))
        #expect(bench.firstDrop(Self.start) == until)
        bench.pass(.seconds(1))
        #expect(bench.hasLost(Self.start))
    }

    @Test("A notice ends with nothing given up if nothing was rejected since it began")
    func noticeWithoutProbe() {
        var bench = Self.failing(window: Self.hour)
        bench.pass(Self.hour)
        _ = bench.end(Bench.rejected)
        _ = bench.health.slept(at: bench.now)
        bench.pass(Self.hour)
        #expect(!bench.hasLost(Self.start))
        _ = bench.end(Bench.rejected)
        #expect(bench.hasLost(Self.start))
    }

    @Test("A raised window lengthens the notice that is given, and begins none")
    func raised() {
        var bench = Self.failing(window: Self.hour)
        #expect(bench.configure(window: Self.hour * 48) == [])
        let lowered = bench.configure(window: Self.hour)
        #expect(lowered == [.heldOff(eventType: nil, until: bench.now + .seconds(360))])
        let raised = bench.configure(window: Self.hour * 48)
        #expect(raised == [.heldOff(eventType: nil, until: bench.now + Self.hour)])
        bench.pass(Self.hour)
        #expect(bench.configure(window: Self.hour * 96) == [])
        #expect(bench.configure(window: Self.hour * 96) == [])
    }

    // MARK: Boots

    @Test(
        "What the machine was off counts by the Date headers, for what came before, 0 without one",
        arguments: [
            (0, 86_400, 86_399), (nil, 86_400, 60), (0, nil, 60), (0, 30, 60), (0, -86_400, 60),
        ] as [(Int64?, Int64?, Int64)])
    func boot(before: Int64?, after: Int64?, seconds: Int64) throws {
        var bench = Self.failing(before.map { Bench.rejected(at: $0) } ?? Bench.rejected)
        bench.pass(.seconds(30))
        _ = try bench.restart(hasBooted: true)
        let accepted = bench.now + .nanoseconds(1)
        bench.pass(.seconds(30))
        _ = bench.end(after.map { Bench.rejected(at: $0) } ?? Bench.rejected)
        let episode = bench.health.episodes[0]
        #expect(episode.waited(from: Self.start, at: bench.now) == .seconds(seconds))
        #expect(episode.waited(from: accepted, at: bench.now) <= .seconds(30))
    }

    @Test("A Date that is missing between two boots leaves the first one uncounted")
    func missingBetweenBoots() throws {
        var bench = Self.failing(Bench.rejected(at: 0))
        _ = try bench.restart(hasBooted: true)
        _ = bench.end(Bench.rejected)
        _ = try bench.restart(hasBooted: true)
        _ = bench.end(Bench.rejected(at: 86_400))
        #expect(bench.health.episodes[0].waited(from: Self.start, at: bench.now) == .zero)
    }

    @Test("Time off in a pause or a silence is not counted", arguments: [true, false])
    func bootWhileStanding(isPaused: Bool) throws {
        var bench = Self.failing(Bench.rejected(at: 0))
        _ = try bench.restart(hasBooted: true)
        if isPaused { bench.health.pause(at: bench.now) } else { _ = bench.end(Bench.lost) }
        _ = try bench.restart(hasBooted: true)
        _ = bench.health.resume(at: bench.now)
        _ = bench.end(Bench.rejected(at: 86_400))
        #expect(bench.health.episodes[0].waited(from: Self.start, at: bench.now) == .zero)
    }

    @Test("Another destination may have another clock: its Date is not compared")
    func otherDestination() throws {
        var bench = Self.failing(Bench.rejected(at: 0))
        _ = try bench.restart(hasBooted: true)
        _ = bench.configure(window: Self.hour * 48, isOther: true)
        _ = bench.end(Bench.rejected(at: 86_400))
        #expect(bench.health.episodes[0].waited(from: Self.start, at: bench.now) == .zero)
    }

    @Test("What a crash may not take back is to be kept at once")
    func revisions() throws {
        var bench = Bench()
        func changes(_ body: (inout Bench) throws -> Void) rethrows -> Bool {
            let before = bench.health.revision
            try body(&bench)
            return bench.health.revision != before
        }
        #expect(changes { _ = $0.end(Bench.rejected) })
        #expect(changes { _ = $0.end(Bench.denied) })
        #expect(!changes { _ = $0.end(Bench.rejected) })
        #expect(changes { _ = $0.end(Bench.lost) })
        #expect(!changes { _ = $0.end(Bench.lost) })
        #expect(changes { _ = $0.end(Bench.rejected) })
        #expect(changes { $0.health.pause(at: $0.now) })
        #expect(changes { _ = $0.health.resume(at: $0.now) })
        #expect(changes { _ = $0.health.slept(at: $0.now) })
        #expect(changes { _ = $0.configure(window: Self.hour) })
        _ = try bench.restart(hasBooted: true)
        #expect(changes { _ = $0.end(Bench.rejected) })
        #expect(changes { _ = $0.end(Bench.denied) })
        #expect(!changes { _ = $0.end(Bench.rejected) })
        #expect(changes { _ = $0.end(.delivered) })
    }

    // MARK: Telling

    @Test("At 50, 75, 90 and 95 per cent of the window it is told, once each, and hourly besides")
    func thresholds() {
        var bench = Self.failing(window: Self.hour * 100)
        let accepted = Self.start + .seconds(1800)
        var told: [Int] = []
        for minute in 1...60 * 100 {
            bench.pass(.seconds(60))
            let actions = bench.health.tick(at: bench.now) { _ in accepted }
            if !actions.isEmpty { told.append(minute) }
        }
        // Half an hour after the hundredths of the window, as the event came so much later; each begins an hour anew.
        let beginnings = [60, 3030, 4530, 5430, 5730, 6001]
        let expected = zip(beginnings, beginnings.dropFirst()).flatMap {
            stride(from: $0, to: $1, by: 60)
        }
        #expect(told == expected)
    }

    @Test("Several thresholds passed at once are told once; another window tells its own")
    func manyThresholds() {
        var bench = Self.failing(window: Self.hour)
        bench.pass(.seconds(3500))
        let tick = { (bench: inout Bench) in
            bench.health.tick(at: bench.now, oldest: { _ in Self.start }).count
        }
        #expect([tick(&bench), tick(&bench)] == [1, 0])
        _ = bench.configure(window: Self.hour * 10)
        #expect(tick(&bench) == 0)
        _ = bench.configure(window: Self.hour * 1.5)
        #expect([tick(&bench), tick(&bench)] == [1, 0])
    }

    @Test("After a restart what lasts is told at once, and then hourly again")
    func restartTells() throws {
        var bench = Self.failing()
        _ = bench.end(Bench.denied)
        bench.pass(Self.hour * 7)
        #expect(try bench.restart().count == 2)
        bench.pass(.seconds(60))
        #expect(bench.health.tick(at: bench.now) == [])
        bench.pass(Self.hour)
        #expect(bench.health.tick(at: bench.now).count == 2)
    }
}
