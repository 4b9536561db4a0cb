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

    /// Whether there is nothing left to remember.
    var isWell: Bool { episode == nil && recovering == 0 }

    func permission(at now: Instant) -> Permission {
        if episode == nil { return recovering > 0 ? .oneAtATime : .full }
        return now < pace.notBefore ? .none(until: pace.notBefore) : .probe
    }

    mutating func denied(
        _ disposition: Disposition, began: Instant, at now: Instant, _ random: Double
    ) -> [ConnectorHealth.Action] {
        guard began >= pace.decided else {
            episode?.trouble.failures += 1
            return []
        }
        pace.failures += 1
        pace.wait(ProbePace.delay(failures: pace.failures, random: random), at: now)
        if let actions = episode?.trouble.failedAgain(disposition) { return actions }
        let begun = Episode(eventType: eventType, because: disposition, at: now)
        episode = begun
        return [begun.trouble.entered]
    }

    mutating func delivered(began: Instant, at now: Instant) -> [ConnectorHealth.Action] {
        guard began >= pace.decided else { return [] }
        guard let ended = episode else {
            recovering = max(0, recovering - 1)
            return []
        }
        episode = nil
        recovering = ConnectorHealth.deliveriesOfRecovery
        pace.start(at: now)
        return [ended.trouble.left(at: now)]
    }

    /// A probe ended with neither a denial nor a delivery: the next one waits as long again.
    mutating func passedOver(began: Instant, at now: Instant, _ random: Double) {
        guard episode != nil, began >= pace.decided else { return }
        pace.wait(ProbePace.delay(failures: pace.failures, random: random), at: now)
    }

    mutating func reminder(at now: Instant) -> [ConnectorHealth.Action] {
        episode?.trouble.reminder(at: now) ?? []
    }

    mutating func hurry(at now: Instant) {
        guard episode != nil else { return }
        pace.hurry(at: now)
    }
}
