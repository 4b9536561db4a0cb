/// How one event type of a connector fares: whether the bucket denies its objects.
///
/// A policy may allow prefixes one by one, so a denied event type waits alone.
struct EventTypeHealth: Sendable {
    private(set) var episode: Episode?
    private let eventType: String
    private var pace: Pace
    private var recovering = 0

    init(_ eventType: String, at now: Instant) {
        self.eventType = eventType
        pace = Pace(at: now)
    }

    /// As an earlier process left it.
    init(_ episode: Episode, eventType: String, at now: Instant) {
        self.init(eventType, at: now)
        self.episode = episode
    }

    /// Whether there is nothing left to remember.
    var isWell: Bool { episode == nil && recovering == 0 }

    func permission(at now: Instant) -> Permission {
        if episode == nil { return recovering > 0 ? .oneAtATime : .full }
        return now < pace.notBefore ? .none(until: pace.notBefore) : .probe
    }

    /// - Parameter pendingUntil: how long a connector that never worked is given.
    mutating func denied(
        _ disposition: Disposition, began: Instant, at now: Instant, pendingUntil: Instant?,
        window: Duration, _ random: Double
    ) -> [ConnectorHealth.Action] {
        guard began >= pace.decided else {
            episode?.trouble.failures += 1
            return []
        }
        pace.failures += 1
        defer {
            let isPending = episode?.pendingUntil != nil
            pace.wait(
                ProbePace.delay(
                    failures: pace.failures, isPending: isPending, window: window, random: random),
                at: now)
        }
        if let actions = episode?.rejectedAgain(disposition, sent: began, at: now) {
            return actions
        }
        let begun = Episode(
            eventType: eventType, because: disposition, sent: began, at: now,
            pendingUntil: pendingUntil)
        episode = begun
        return [begun.trouble.entered]
    }

    mutating func delivered(began: Instant, at now: Instant) -> [ConnectorHealth.Action] {
        guard let ended = episode else {
            if began >= pace.decided { recovering = max(0, recovering - 1) }
            return []
        }
        guard began >= ended.trouble.since else { return [] }
        episode = nil
        recovering = ConnectorHealth.deliveriesOfRecovery
        pace.start(at: now)
        return [ended.trouble.left(at: now)]
    }

    /// A probe ended with neither a denial nor a delivery: the next one waits as long again.
    mutating func passedOver(
        began: Instant, at now: Instant, window: Duration, _ random: Double
    ) {
        guard episode != nil, began >= pace.decided else { return }
        pace.wait(
            ProbePace.delay(failures: pace.failures, window: window, random: random), at: now)
    }

    mutating func reminder(
        oldest: Instant?, window: Duration, at now: Instant
    ) -> [ConnectorHealth.Action] {
        episode?.reminder(oldest: oldest, window: window, at: now) ?? []
    }

    /// Does something to the episode, if there is one.
    mutating func withEpisode(_ body: (inout Episode) -> Void) {
        if var changed = episode {
            body(&changed)
            episode = changed
        }
    }

    mutating func hurry(at now: Instant) {
        guard episode != nil else { return }
        pace.hurry(at: now)
    }
}
