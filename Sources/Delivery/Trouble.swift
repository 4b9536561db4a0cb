/// What keeps a connector, or one of its event types, from delivering.
public enum Condition: Sendable, Hashable {
    case backingOff(BackoffReason)
    /// Of the whole connector, or of the event type named.
    case credentialsFailing(eventType: String?)
    /// As `credentialsFailing`, of a connector that never worked: S3 may have yet to learn of credentials just made.
    case credentialsPending(eventType: String?)
    case misconfigured
}

/// One unbroken time in which a condition holds.
public struct Trouble: Sendable, Equatable {
    public internal(set) var condition: Condition
    public let since: Instant
    /// The attempts that failed for it.
    public internal(set) var failures = 1
    /// The newest of them.
    public internal(set) var because: Disposition
    /// The faults told so far: two that alternate are told once each.
    private var told: Set<String>
    private var toldAt: Instant

    /// The codes are the other side's, which might invent a new one each time.
    private static let mostFaultsTold = 16

    init(_ condition: Condition, because: Disposition, at now: Instant) {
        self.condition = condition
        self.because = because
        since = now
        told = [because.fault]
        toldAt = now
    }

    /// What is told when it begins.
    var entered: ConnectorHealth.Action { .entered(condition, because: because) }

    /// Another attempt failed; told only if its fault is a new one.
    mutating func failedAgain(_ disposition: Disposition) -> [ConnectorHealth.Action] {
        failures += 1
        because = disposition
        guard told.count < Self.mostFaultsTold else { return [] }
        return told.insert(disposition.fault).inserted ? [entered] : []
    }

    /// What is told of a trouble that lasts.
    mutating func reminder(
        at now: Instant, always: Bool = false
    ) -> [ConnectorHealth.Action] {
        guard always || now - toldAt >= ConnectorHealth.reminderInterval else { return [] }
        toldAt = now
        return [.lasting(condition, because: because, since: since, failures: failures)]
    }

    func left(at now: Instant) -> ConnectorHealth.Action {
        .left(condition, after: now - since, failures: failures)
    }
}

extension Disposition {
    /// What two attempts that failed for one thing have in common: request IDs differ each time.
    fileprivate var fault: String {
        if case .misconfigured(.local(let what)) = self { return what }
        return cause?.code ?? ""
    }
}

/// How many uploads may be in flight.
public enum Permission: Sendable, Equatable {
    /// As many as the connections allow.
    case full
    /// One at a time: trouble has just ended.
    case oneAtATime
    /// One: the oldest batch that is not itself at fault, event types in turn.
    case probe
    /// None before this instant; nil: none until something is changed.
    case none(until: Instant?)
}

/// When a scope may try again, and which attempts tell something new.
struct Pace: Sendable, Equatable {
    /// Failures in a row, as far as they lengthen the wait.
    var failures = 0
    var notBefore: Instant
    /// The last decision. What began before it was sent under another knowledge, or with other
    /// credentials: it neither lengthens a wait nor ends a trouble.
    var decided: Instant

    init(at now: Instant) {
        notBefore = now
        decided = now
    }

    mutating func wait(_ delay: Duration, at now: Instant) {
        notBefore = now + delay
        decided = now
    }

    mutating func start(at now: Instant) {
        self = Pace(at: now)
    }

    /// Something was mended, perhaps: one attempt at the next second, and the waits begin anew.
    mutating func hurry(at now: Instant) {
        failures = 0
        notBefore = min(notBefore, now + .seconds(1))
        decided = now
    }
}
