import Model

/// One unbroken time in which S3 or STS rejects the credentials of a connector, or denies one of its event types.
///
/// It alone can cost events, so it knows three things of the time that went by: what counts (`EpisodeTimeline`), when the
/// newest rejected attempt was sent, and before when nothing is given up because somebody should first hear of it.
public struct Episode: Sendable, Equatable {
    /// nil: the whole connector's.
    public let eventType: String?
    public internal(set) var trouble: Trouble
    var timeline: EpisodeTimeline
    /// When the newest rejected attempt was sent.
    var rejected: Instant
    /// The newest rejection, if it said what time it was.
    var dated: DatedRejection?
    /// The first boot after it; at most one, for what lies between is not known better.
    var bootedAt: Instant?
    /// Nothing is given up before.
    public internal(set) var nothingBefore: Instant?
    /// The greatest part of the window told, in per cent.
    var told = 0
    /// How long a connector that never worked is taken for one whose credentials S3 has yet to learn.
    var pendingUntil: Instant?

    struct DatedRejection: Sendable, Equatable {
        var sent: Instant
        var date: Timestamp

        init?(sent: Instant, date: Timestamp?) {
            guard let date else { return nil }
            self.sent = sent
            self.date = date
        }
    }

    /// Parts of the window, in per cent, that are told when an event has waited so long.
    static let thresholds = [50, 75, 90, 95]

    init(
        eventType: String?, because: Disposition, sent: Instant, at now: Instant,
        pendingUntil: Instant? = nil
    ) {
        self.eventType = eventType
        self.pendingUntil = pendingUntil
        let condition: Condition =
            pendingUntil == nil
            ? .credentialsFailing(eventType: eventType)
            : .credentialsPending(eventType: eventType)
        trouble = Trouble(condition, because: because, at: now)
        timeline = EpisodeTimeline(began: now)
        rejected = sent
        dated = DatedRejection(sent: sent, date: because.cause?.date)
    }

    // MARK: What happens

    /// Another attempt was rejected.
    mutating func rejectedAgain(
        _ disposition: Disposition, sent: Instant, at now: Instant
    ) -> [ConnectorHealth.Action] {
        creditBoot(disposition.cause?.date, at: now)
        rejected = max(rejected, sent)
        dated = DatedRejection(sent: sent, date: disposition.cause?.date)
        if let until = pendingUntil, now >= until {
            pendingUntil = nil
            trouble.condition = .credentialsFailing(eventType: eventType)
            _ = trouble.failedAgain(disposition)
            return [trouble.entered]
        }
        return trouble.failedAgain(disposition)
    }

    /// What the machine was off counts as the server's clock measured it: no local clock can tell.
    ///
    /// The answer before was written at some time since its question, and a Date has whole seconds.
    private mutating func creditBoot(_ date: Timestamp?, at now: Instant) {
        guard let boot = bootedAt else { return }
        bootedAt = nil
        guard let date, let before = dated else { return }
        let passed = Duration.seconds(date.unixSeconds - before.date.unixSeconds - 1)
        let hidden = passed - (now - before.sent)
        if hidden > .zero { timeline.credit(hidden, at: boot) }
    }

    /// S3 or STS has answered, or a pause is over.
    mutating func goOn(at now: Instant) {
        timeline.goOn(at: now, askedUpTo: rejected)
    }

    /// The machine was started anew; the clock says `now`.
    ///
    /// If the clock stood while the machine was off, that does not count, nor can it be told from what does.
    mutating func booted(at now: Instant) {
        bootedAt = bootedAt ?? now
        if isStanding { dated = nil }
    }

    /// Nothing is given up for a while, nor without another rejection: S3 may think otherwise by now.
    mutating func holdOff(until: Instant) {
        nothingBefore = max(nothingBefore ?? until, until)
        rejected = timeline.began
    }

    // MARK: What follows from it

    /// How long an event accepted then has waited, as far as it counts.
    public func waited(from accepted: Instant, at now: Instant) -> Duration {
        timeline.counted(from: accepted, to: now)
    }

    /// Whether events accepted up to then are to be given up: they had waited a whole window, and after that an attempt
    /// was sent that was rejected.
    public func hasLost(_ accepted: Instant, window: Duration, at now: Instant) -> Bool {
        if let nothingBefore, now < nothingBefore { return false }
        return timeline.counted(from: accepted, to: rejected) >= window
    }

    /// When events accepted then will be given up, if nothing changes; a probe has to be rejected before that.
    public func firstDrop(_ accepted: Instant, window: Duration, at now: Instant) -> Instant {
        let left = window - timeline.counted(from: accepted, to: now)
        return max(now + max(.zero, left), nothingBefore ?? now)
    }

    /// Whether the clock stands, for want of an answer or in a pause.
    public var isStanding: Bool { timeline.standsSince != nil }

    /// Told hourly, and when the oldest event has waited another part of the window.
    mutating func reminder(
        oldest: Instant?, window: Duration, at now: Instant
    ) -> [ConnectorHealth.Action] {
        var mustTell = false
        if let oldest {
            let waited = waited(from: oldest, at: now)
            for threshold in Self.thresholds where told < threshold {
                guard waited >= window * threshold / 100 else { break }
                told = threshold
                mustTell = true
            }
        }
        return trouble.reminder(at: now, always: mustTell)
    }
}
