import Model
import Support

@testable import Delivery

/// A connector's owner, its machine and its S3, driven by chance: everything that can befall the window.
///
/// It calls `ConnectorHealth` as the daemon does: keeps the record when `revision` says so and each minute, drops what
/// is lost after each attempt and as time passes. No wall clock is in it, since none of these calls takes one; the Date
/// headers are S3's. Beside it runs a `WindowReference`, and the two may not contradict each other.
struct WindowWorld {
    /// What S3 and the network are like for a while.
    private enum Weather: CaseIterable {
        case fine, revoked, deniedType, unreachable, mixed
    }

    struct Violation: Error { let text: String }

    private var random: SeededGenerator
    private var weather = Weather.revoked
    private let window: Int
    private var reference: WindowReference
    private var health: ConnectorHealth
    private var clock: SpoolClock
    private var boots = 1
    private var bootedAt = 0
    private var kept: EpisodeBook
    private var keptRevision = 0
    private var inFlight: [(sent: WindowReference.Sent, began: Instant)] = []
    private var accepted: [Int: Instant] = [:]
    private var arrived = 0
    private var delivered = 0
    private(set) var dropped = 0
    private var nextID = 0
    /// What happened, for whoever looks into a failure.
    private(set) var story: [String] = []
    private let tellsStory: Bool

    private static let types = ["a", "b"]
    private static let connector = ConnectorName("orders")
    private static let windows = [20 * 60_000, 2 * 3_600_000, 48 * 3_600_000, 120 * 3_600_000]

    init(seed: UInt64, tellsStory: Bool = false) {
        random = SeededGenerator(seed: seed)
        self.tellsStory = tellsStory
        window = Self.windows[Int.random(in: 0..<4, using: &random)]
        reference = WindowReference(window: window)
        clock = SpoolClock(after: nil, boot: "boot 1", bootTime: .zero)
        health = ConnectorHealth(at: clock.reading)
        _ = health.configure(
            window: .milliseconds(window), grace: .zero, isOther: false, at: clock.reading)
        kept = EpisodeBook(clock: clock, entries: [])
    }

    mutating func run(steps: Int) throws(Violation) {
        for _ in 0..<steps {
            step()
            dropLost()
            keepIfChanged()
            try check()
        }
        if let violation { throw violation }
    }

    private var violation: Violation?

    // MARK: One step

    private mutating func step() {
        if chance(5) { weather = Weather.allCases[Int.random(in: 0..<5, using: &random)] }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<8: arrive()
        case 8..<26: pass(span(upTo: window / 2))
        case 26..<72: send()
        case 72..<80: answerAny()
        case 80..<84: changeCredentials()
        case 84..<88: restart()
        case 88..<91: reboot()
        case 91..<93: suspend()
        case 93..<96: reload()
        default: if reference.isPaused { resume() } else if chance(40) { pause() }
        }
    }

    private mutating func arrive() {
        guard reference.batches.count < 6 else { return }
        nextID += 1
        let batch = WindowReference.Batch(
            id: nextID, type: Int.random(in: 0..<2, using: &random),
            events: Int.random(in: 1...5, using: &random))
        tell("batch \(batch.id) of type \(Self.types[batch.type]) arrives")
        reference.arrive(batch)
        accepted[batch.id] = now
        arrived += batch.events
    }

    private mutating func pass(_ time: Int) {
        tell("\(time) ms pass")
        let from = bootTime
        reference.pass(time)
        let minute = bootTime / 60_000 * 60_000
        if minute > from { keep(at: minute) }
        _ = health.tick(at: now) { _ in nil }
    }

    private mutating func send() {
        let free = reference.batches.filter { !isInFlight($0.id) }
        guard let batch = free.randomElement(using: &random) else { return arrive() }
        if case .none(let until) = permission(batch) {
            guard let until else { return }
            pass(Int((until - now) / .milliseconds(1)) + 1)
        }
        switch permission(batch) {
        case .none: return
        case .probe, .oneAtATime: if !inFlight.isEmpty { return answer(0) }
        case .full: if inFlight.count == 4 { return answer(0) }
        }
        tell("batch \(batch.id) is sent")
        inFlight.append((reference.send(batch), now))
        if chance(80) {
            pass(chance(80) ? Int.random(in: 0..<2_000, using: &random) : span(upTo: 60_000))
            answer(inFlight.count - 1)
        }
    }

    /// The stricter one of the connector and the event type.
    private func permission(_ batch: WindowReference.Batch) -> Permission {
        let whole = health.permission(at: now)
        let own = health.permission(for: Self.types[batch.type], at: now)
        switch (whole, own) {
        case (.none, _): return whole
        case (_, .none): return own
        case (.full, _): return own
        default: return whole
        }
    }

    private mutating func answer(_ index: Int) {
        let (sent, began) = inFlight.remove(at: index)
        let (disposition, word) = disposition(for: sent)
        tell("batch \(sent.batch) ends with \(disposition)")
        _ = health.attemptEnded(
            disposition, eventType: Self.types[sent.type], began: began, at: now,
            random: Double.random(in: 0..<1, using: &random))
        if case .delivered = word,
            let batch = reference.batches.first(where: { $0.id == sent.batch })
        {
            delivered += batch.events
            reference.leave(batch.id)
        }
        reference.ended(sent, word)
        compareEpisodes()
        expectProbesSoon()
    }

    private mutating func answerAny() {
        guard let index = inFlight.indices.randomElement(using: &random) else { return }
        answer(index)
    }

    private func isInFlight(_ id: Int) -> Bool { inFlight.contains { $0.sent.batch == id } }

    private mutating func changeCredentials() {
        tell("credentials change")
        reference.credentialsChanged()
        health.credentialsChanged(at: now)
    }

    private mutating func reload() {
        let other = [window, window * 5 / 2, window / 4, window / 2]
            .randomElement(using: &random)!
        let isOther = chance(10)
        tell("window of \(other) ms, \(isOther ? "another" : "the same") bucket")
        reference.configure(window: other, isOther: isOther)
        _ = health.configure(
            window: .milliseconds(other), grace: .zero, isOther: isOther, at: now)
    }

    private mutating func pause() {
        tell("paused")
        reference.pause()
        health.pause(at: now)
    }

    private mutating func resume() {
        tell("resumed")
        reference.resume()
        _ = health.resume(at: now)
    }

    /// The machine sleeps: its boot clock goes on, and nobody keeps a stamp.
    private mutating func suspend() {
        let time = span(upTo: window * 3 / 2)
        tell("asleep for \(time) ms")
        reference.pass(time)
        reference.slept()
        _ = health.slept(at: now)
    }

    // MARK: What outlives the process

    private mutating func restart() {
        let time = span(upTo: window / 2)
        let isOrderly = chance(50)
        tell("daemon down for \(time) ms, \(isOrderly ? "orderly" : "killed")")
        if isOrderly { keep(at: bootTime) }
        reference.restarted()
        reference.pass(time)
        inFlight = []
        begin(hasBooted: false)
    }

    private mutating func reboot() {
        let off = span(upTo: window * 3 / 2)
        let isOrderly = chance(50)
        tell("machine off for \(off) ms, \(isOrderly ? "orderly" : "power cut")")
        if isOrderly { keep(at: bootTime) }
        reference.rebooted(off: off)
        inFlight = []
        boots += 1
        bootedAt = reference.now
        begin(hasBooted: true)
    }

    /// As a daemon begins: the book is read, the clock goes on, health is restored, then configured.
    private mutating func begin(hasBooted: Bool) {
        let book: EpisodeBook
        do {
            book = try EpisodeBook(kept.text)
        } catch {
            return fail("the book cannot be read: \(error)")
        }
        clock = SpoolClock(
            after: book.clock, boot: "boot \(boots)", bootTime: .milliseconds(bootTime))
        if let newest = reference.batches.compactMap({ accepted[$0.id] }).max() {
            clock.raise(to: newest, at: .milliseconds(bootTime))
        }
        health = ConnectorHealth(at: now)
        if let entry = book.entries.first {
            _ = health.restore(entry.record, hasBooted: hasBooted, at: now)
        }
        _ = health.configure(
            window: .milliseconds(reference.window), grace: .zero, isOther: false, at: now)
        keep(at: bootTime)
        compareEpisodes()
        // What comes now is later than what came before the boot.
        reference.pass(1)
    }

    private mutating func keepIfChanged() {
        if health.revision != keptRevision { keep(at: bootTime) }
    }

    private mutating func keep(at bootTime: Int) {
        let entry = EpisodeBook.Entry(
            connector: Self.connector!, destination: "", record: health.record)
        kept = EpisodeBook(
            clock: clock.stamped(at: .milliseconds(bootTime)), entries: [entry])
        keptRevision = health.revision
        reference.kept()
    }

    // MARK: What has to be true

    private mutating func dropLost() {
        for batch in reference.batches where !isInFlight(batch.id) {
            guard let accepted = accepted[batch.id] else { continue }
            let type = Self.types[batch.type]
            if health.hasLost(accepted, eventType: type, at: now) {
                tell("batch \(batch.id) is dropped")
                if !reference.mayDrop(batch) { fail("\(batch) is dropped early") }
                if let first = health.firstDrop(accepted, eventType: type, at: now), first > now {
                    fail("\(batch) is dropped before it was said to be")
                }
                dropped += batch.events
                reference.leave(batch.id)
            } else if reference.mustDrop(batch) {
                fail("\(batch) is kept too long")
            }
        }
    }

    private mutating func check() throws(Violation) {
        let held = reference.batches.reduce(0) { $0 + $1.events }
        if arrived != delivered + dropped + held { fail("events do not add up") }
        if let violation { throw violation }
    }

    private mutating func compareEpisodes() {
        let types = health.episodes.map(\.eventType)
        for scope in 0...2 {
            let type = scope == 0 ? nil : Self.types[scope - 1]
            let has = types.contains(type)
            if has && !reference.mayHaveEpisode(scope) { fail("an episode of \(type ?? "all")") }
            if !has && reference.mustHaveEpisode(scope) { fail("no episode of \(type ?? "all")") }
        }
    }

    /// The longest wait is a probe's, or a Retry-After, which is at most as long and a second.
    private mutating func expectProbesSoon() {
        guard !reference.isPaused else { return }
        for batch in reference.batches {
            guard case .none(let until) = permission(batch) else { continue }
            guard let until, until - now <= .seconds(301) else { return fail("no probe soon") }
        }
    }

    // MARK: Chance

    /// What S3 says, and what that is to the rules.
    private mutating func disposition(
        for sent: WindowReference.Sent
    ) -> (Disposition, WindowReference.Word) {
        let weather = chance(5) ? .mixed : weather
        switch weather {
        case .fine: return (.delivered, .delivered)
        case .revoked: return rejection(.connector, sent)
        case .deniedType:
            return sent.type == 0 ? rejection(.eventType, sent) : (.delivered, .delivered)
        case .unreachable:
            return chance(90) ? Self.silent[0] : Self.others.randomElement(using: &random)!
        case .mixed:
            switch Int.random(in: 0..<8, using: &random) {
            case 0: return (.delivered, .delivered)
            case 1, 2: return rejection(.connector, sent)
            case 3, 4: return rejection(.eventType, sent)
            case 5: return Self.silent.randomElement(using: &random)!
            default: return Self.others.randomElement(using: &random)!
            }
        }
    }

    private mutating func rejection(
        _ scope: CredentialsScope, _ sent: WindowReference.Sent
    ) -> (Disposition, WindowReference.Word) {
        var cause = Cause(
            code: scope == .connector ? "InvalidAccessKeyId" : "AccessDenied", requestID: "1")
        let isDated = chance(90)
        // S3 stamps its answer at any moment between the question and our hearing of it.
        let stamped =
            chance(50) ? reference.now : Int.random(in: sent.at...reference.now, using: &random)
        if isDated {
            cause.date = Timestamp(unixSeconds: 1_795_000_000 + Int64(stamped / 1_000))
        }
        return (
            .credentials(scope, cause),
            scope == .connector ? .rejected(dated: isDated) : .denied(dated: isDated)
        )
    }

    private static let cause = Cause(code: "X", requestID: "1")
    private static let silent: [(Disposition, WindowReference.Word)] = [
        (.backingOff(.unreachable, Cause(code: "curl 7"), retryAfter: nil), .unreachable),
        (.backingOff(.expired, cause, retryAfter: nil), .undecided),
        (.misconfigured(.local("the secret is missing")), .undecided),
        (.backingOff(.serverError, Cause(code: "HTTP 502"), retryAfter: nil), .undecided),
    ]
    private static let others: [(Disposition, WindowReference.Word)] = [
        (.answered, .answered), (.existing, .answered), (.missing, .answered),
        (.refreshCredentials(cause), .answered),
        (.misconfigured(.refused(cause)), .answered),
        (.batchHeld(.refused(cause)), .answered), (.batchHeld(.differs), .answered),
        (.batchHeld(.incomparable(cause)), .answered), (.batchHeld(.damaged("x")), .nothing),
        (.clock(server: Timestamp(unixSeconds: 0), cause), .answered),
        (.region("r", cause), .answered), (.unsupported(.checksum, cause), .answered),
        (.conflict(cause), .answered), (.startOver(cause), .answered), (.advice(cause), .answered),
        (.aborted, .nothing),
        (.backingOff(.throttled, cause, retryAfter: .seconds(900)), .answered),
        (.backingOff(.serverError, cause, retryAfter: nil), .answered),
    ]

    private mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    /// From a second on, each order of magnitude as likely as the next.
    private mutating func span(upTo most: Int) -> Int {
        var bound = 1_000
        while bound < most, chance(80) { bound *= 4 }
        return Int.random(in: 1_000...max(1_001, min(bound, most)), using: &random)
    }

    // MARK: Words

    /// Time since this boot.
    private var bootTime: Int { reference.now - bootedAt }
    private var now: Instant { clock.reading(at: .milliseconds(bootTime)) }

    private mutating func tell(_ text: @autoclosure () -> String) {
        if tellsStory { story.append("\(reference.now): \(text())") }
    }

    private mutating func fail(_ text: String) {
        violation = violation ?? Violation(text: text)
    }
}
