/// One unbroken time without an answer of S3 that could be used, for one reason after another.
struct BackingOff: Sendable {
    private(set) var reason: BackoffReason
    var trouble: Trouble
    /// Failures in a row for the present reason.
    private var inARow = 1
    /// The reasons told so far: two that alternate are told once each.
    private var told: [BackoffReason] = []

    init(_ reason: BackoffReason, _ disposition: Disposition, at now: Instant) {
        self.reason = reason
        trouble = Trouble(.backingOff(reason), because: disposition, at: now)
    }

    mutating func failed(_ newReason: BackoffReason, _ disposition: Disposition) {
        inARow = newReason == reason ? inARow + 1 : 1
        reason = newReason
        trouble.condition = .backingOff(newReason)
        trouble.failures += 1
        trouble.because = disposition
    }

    /// What is to be told now, if anything.
    mutating func news() -> [ConnectorHealth.Action] {
        guard inARow >= ConnectorHealth.failuresWorthTelling, !told.contains(reason) else {
            return []
        }
        told.append(reason)
        return [trouble.entered]
    }

    /// The end of all that was told.
    func left(at now: Instant) -> [ConnectorHealth.Action] {
        told.map {
            .left(.backingOff($0), after: now - trouble.since, failures: trouble.failures)
        }
    }
}
