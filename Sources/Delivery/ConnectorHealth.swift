/// Decides how much a connector may send, and what is told of its troubles.
///
/// Time and chance are parameters and nothing here blocks, so every rule is a table in
/// `ConnectorHealthTests`. Three troubles may hold at once, each with its own beginning and end:
///
/// ```
/// trouble             begins with             ends with
/// backing off         .backingOff, .refresh…  any answer of S3
/// misconfigured       .misconfigured          a delivery
/// credentials failing .credentials(.connector)  a delivery
///   of an event type  .credentials(.eventType)  a delivery of that event type
/// ```
///
/// The time in which credentials fail is an `Episode`; for how long events may wait in one is the window.
/// While one holds, its scope sends single probes, each after a wait. Backing off waits seconds; the
/// others wait for a person, so they wait longer. After a delivery its scope sends one object at a
/// time until three more have passed. The owner reports how each batch's attempt ended; the steps on
/// the way (`clock`, `region`, `unsupported`, `existing`, `missing`) it takes at once and by itself.
public struct ConnectorHealth: Sendable {
    /// The gravest that holds.
    public enum State: Sendable, Equatable {
        /// Nothing holds; single event types may still be denied.
        case delivering
        case backingOff(BackoffReason, Trouble, until: Instant)
        case misconfigured(Trouble)
        case credentialsFailing(Episode)
        case paused(since: Instant)
    }

    public enum Action: Sendable, Equatable {
        case entered(Condition, because: Disposition)
        /// Told hourly of what waits for a person.
        case lasting(Condition, because: Disposition, since: Instant, failures: Int)
        case left(Condition, after: Duration, failures: Int)
        /// The session has expired: ask the provider for a new one.
        case refreshCredentials
        /// It works, which it never did before.
        case verified
        /// What the window would give up is kept until then, so that somebody can hear of it first.
        case heldOff(eventType: String?, until: Instant)
    }

    /// A single lost connection is no news: backing off is told from this many failures in a row.
    static let failuresWorthTelling = 2
    /// So many deliveries one at a time prove that a trouble is over.
    static let deliveriesOfRecovery = 3
    static let reminderInterval = Duration.seconds(3600)

    private let backoff: Backoff
    private var pace: Pace
    private var recovering = 0
    var pausedSince: Instant?
    var episode: Episode?
    var misconfiguration: Trouble?
    private var backingOff: BackingOff?
    var eventTypes: [String: EventTypeHealth] = [:]
    /// Nobody has answered since then, so the clocks of episodes stand.
    var silentSince: Instant?

    /// For how long of an episode an event may wait.
    public internal(set) var window = defaultWindow
    public static let defaultWindow = Duration.seconds(48 * 3600)
    /// For how long credentials that never worked are taken for new ones.
    var grace = Duration.zero
    var configured: Instant
    /// Whether anything was ever delivered with these credentials to this destination.
    public internal(set) var isVerified = false
    /// Counts what must outlive the process; whoever keeps the record keeps it again when this has changed.
    public internal(set) var revision = 0

    public init(backoff: Backoff = Backoff(), at now: Instant) {
        self.backoff = backoff
        pace = Pace(at: now)
        configured = now
    }

    // MARK: Asking

    public var state: State {
        if let pausedSince { return .paused(since: pausedSince) }
        if let episode { return .credentialsFailing(episode) }
        if let misconfiguration { return .misconfigured(misconfiguration) }
        if let backingOff {
            return .backingOff(backingOff.reason, backingOff.trouble, until: pace.notBefore)
        }
        return .delivering
    }

    /// The event types whose objects the bucket denies, by name.
    public var deniedEventTypes: [Episode] {
        eventTypes.sorted { $0.key < $1.key }.compactMap(\.value.episode)
    }

    /// What the connector as a whole may have in flight.
    public func permission(at now: Instant) -> Permission {
        if pausedSince != nil { return .none(until: nil) }
        if now < pace.notBefore { return .none(until: pace.notBefore) }
        if isTroubled { return .probe }
        return recovering > 0 ? .oneAtATime : .full
    }

    /// What one event type may have in flight; the connector's own permission applies as well.
    public func permission(for eventType: String, at now: Instant) -> Permission {
        eventTypes[eventType]?.permission(at: now) ?? .full
    }

    private var isTroubled: Bool { needsPerson || backingOff != nil }
    private var needsPerson: Bool { episode != nil || misconfiguration != nil }

    // MARK: What happens

    /// Takes note of how the attempt to deliver a batch ended.
    ///
    /// - Parameters:
    ///   - began: when it was sent. What was sent before the last decision counts, and decides nothing.
    ///   - random: evenly distributed over 0..<1.
    public mutating func attemptEnded(
        _ disposition: Disposition, eventType: String, began: Instant, at now: Instant,
        random: Double
    ) -> [Action] {
        let isNews = began >= pace.decided
        listen(to: disposition, at: now)
        // What was sent before a pause may begin an episode in it.
        defer { if pausedSince != nil { forEachEpisode { $0.timeline.stand(at: now) } } }
        switch disposition {
        case .aborted:
            return []
        case .backingOff(let reason, _, let retryAfter):
            guard isNews else {
                backingOff?.trouble.failures += 1
                return []
            }
            return backOff(reason, disposition, retryAfter, at: now, random)
        case .refreshCredentials:
            guard isNews else { return [] }
            return [.refreshCredentials] + backOff(.expired, disposition, nil, at: now, random)
        case .credentials(.connector, _):
            guard isNews else {
                episode?.trouble.failures += 1
                return []
            }
            return heard(at: now) + reject(disposition, sent: began, at: now, random)
        case .misconfigured:
            guard isNews else {
                misconfiguration?.failures += 1
                return []
            }
            return heard(at: now) + misconfigure(disposition, at: now, random)
        case .delivered:
            // New credentials do not devalue the proof that the old ones work, nor does a reload that the store does.
            let endsEpisode = episode.map { began >= $0.trouble.since } ?? false
            let troubles = [
                episode?.trouble.since, misconfiguration?.since, backingOff?.trouble.since,
            ]
            let endsAll = troubles.compactMap(\.self).max().map { began >= $0 } ?? false
            var actions = isNews || endsEpisode || endsAll ? delivered(at: now) : []
            actions += eventTypes[eventType]?.delivered(began: began, at: now) ?? []
            if eventTypes[eventType]?.isWell == true { eventTypes[eventType] = nil }
            if !actions.isEmpty { revision += 1 }
            return actions + verify()
        case .credentials(.eventType, _):
            var actions = isNews ? heard(at: now) : []
            if isNews { wait(at: now, random) }
            if !isUnderWay(eventTypes[eventType]?.episode) { revision += 1 }
            actions += eventTypes[eventType, default: EventTypeHealth(eventType, at: began)]
                .denied(
                    disposition, began: began, at: now,
                    pendingUntil: pendingUntil(disposition, at: now), window: window, random)
            return actions
        case .answered, .existing, .missing, .batchHeld, .clock, .region, .unsupported, .conflict,
            .startOver, .advice:
            let actions = isNews ? heard(at: now) : []
            if isNews { wait(at: now, random) }
            eventTypes[eventType]?.passedOver(began: began, at: now, window: window, random)
            return actions
        }
    }

    /// A file of credentials or the configuration has changed: one attempt at the next second.
    ///
    /// S3's wish for fewer requests stands.
    public mutating func credentialsChanged(at now: Instant) {
        for name in eventTypes.keys { eventTypes[name]?.hurry(at: now) }
        if backingOff?.reason != .throttled, isTroubled { pace.hurry(at: now) }
    }

    // MARK: Decisions about the connector

    /// The clocks of episodes stand from where nobody answers to the next answer of S3 or STS.
    private mutating func listen(to disposition: Disposition, at now: Instant) {
        let isSilence: Bool
        switch disposition {
        case .aborted, .batchHeld(.damaged): return
        case .backingOff(.unreachable, _, _), .backingOff(.expired, _, _), .misconfigured(.local):
            isSilence = true
        // Without a request ID it is a proxy's or a balancer's.
        case .backingOff(_, let cause, _): isSilence = cause.requestID == nil
        default: isSilence = false
        }
        if isSilence {
            guard silentSince == nil else { return }
            silentSince = now
            forEachEpisode { $0.timeline.stand(at: now) }
        } else {
            guard silentSince != nil else { return }
            silentSince = nil
            // In a pause they stand for that.
            if pausedSince == nil { forEachEpisode { $0.goOn(at: now) } }
        }
        if !episodes.isEmpty { revision += 1 }
    }

    /// A question was answered that needs credentials: they are known, whatever they may be allowed.
    public mutating func authenticated() {
        guard !isVerified else { return }
        isVerified = true
        revision += 1
    }

    private mutating func verify() -> [Action] {
        guard !isVerified else { return [] }
        isVerified = true
        revision += 1
        return [.verified]
    }

    /// How long a rejection may only mean that S3 has yet to learn of new credentials; nil: it means what it says.
    private func pendingUntil(_ disposition: Disposition, at now: Instant) -> Instant? {
        let until = configured + grace
        guard !isVerified, now < until, let code = disposition.cause?.code else { return nil }
        return Codes.unknownAtFirst.contains(code) ? until : nil
    }

    /// S3 itself has answered: it can be reached.
    private mutating func heard(at now: Instant) -> [Action] {
        guard let ended = backingOff else { return [] }
        backingOff = nil
        pace.start(at: now)
        recovering = Self.deliveriesOfRecovery
        return ended.left(at: now)
    }

    private mutating func delivered(at now: Instant) -> [Action] {
        guard isTroubled else {
            recovering = max(0, recovering - 1)
            return []
        }
        let actions =
            heard(at: now) + [episode?.trouble, misconfiguration].compactMap { $0?.left(at: now) }
        episode = nil
        misconfiguration = nil
        recovering = Self.deliveriesOfRecovery
        pace.start(at: now)
        return actions
    }

    private mutating func reject(
        _ disposition: Disposition, sent: Instant, at now: Instant, _ random: Double
    ) -> [Action] {
        pace.failures += 1
        defer { wait(at: now, random) }
        if !isUnderWay(episode) { revision += 1 }
        if let actions = episode?.rejectedAgain(disposition, sent: sent, at: now) {
            return actions
        }
        let begun = Episode(
            eventType: nil, because: disposition, sent: sent, at: now,
            pendingUntil: pendingUntil(disposition, at: now))
        episode = begun
        return [begun.trouble.entered]
    }

    /// Whether one more rejection changes nothing of an episode that has to be kept at once.
    private func isUnderWay(_ episode: Episode?) -> Bool {
        episode.map { $0.bootedAt == nil } ?? false
    }

    private mutating func misconfigure(
        _ disposition: Disposition, at now: Instant, _ random: Double
    ) -> [Action] {
        pace.failures += 1
        defer { wait(at: now, random) }
        if let actions = misconfiguration?.failedAgain(disposition) { return actions }
        let begun = Trouble(.misconfigured, because: disposition, at: now)
        misconfiguration = begun
        return [begun.entered]
    }

    private mutating func backOff(
        _ reason: BackoffReason, _ disposition: Disposition, _ retryAfter: Duration?,
        at now: Instant, _ random: Double
    ) -> [Action] {
        var spell = backingOff ?? BackingOff(reason, disposition, at: now)
        if backingOff != nil { spell.failed(reason, disposition) }
        let actions = spell.news()
        backingOff = spell
        if needsPerson {
            wait(at: now, random, atLeast: retryAfter)
        } else {
            pace.wait(
                backoff.delay(
                    failures: spell.trouble.failures, retryAfter: retryAfter, random: random),
                at: now)
        }
        return actions
    }

    /// Where a person is needed, each answer is followed by a long wait, whatever it said.
    private mutating func wait(at now: Instant, _ random: Double, atLeast: Duration? = nil) {
        guard needsPerson else { return }
        let isPending = episode?.pendingUntil != nil
        let delay = ProbePace.delay(
            failures: pace.failures, isPending: isPending, window: window, random: random)
        let least = min(atLeast ?? .zero, backoff.longestRetryAfter)
        pace.wait(max(delay, least), at: now)
    }
}
