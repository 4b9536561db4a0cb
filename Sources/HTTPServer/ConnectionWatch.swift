/// Decides which clients have had their place for too long.
///
/// The library ends a connection that is silent. It does not end one that sends a byte a second, nor one of very many that
/// wait for nothing; but places are few, and everybody else waits for one. So a client has to come up with a request in
/// time, and to take its answer in time. Time is a parameter.
struct ConnectionWatch<ID: Hashable> {
    /// What the server waits for.
    private enum Phase {
        /// A request, since then: it has just come, or has its last answer.
        case request(since: Duration)
        /// The handler; that takes as long as it takes.
        case answer
        /// The client, to take its answer, since then.
        case taking(since: Duration)
    }

    /// For a header and a body of at most 64 KiB, from a client on this machine.
    static var requestLimit: Duration { .seconds(10) }
    /// The same while all places are taken.
    static var requestLimitWhenFull: Duration { .seconds(1) }
    /// For a status of some MiB.
    static var takingLimit: Duration { .seconds(60) }

    private var phases: [ID: Phase] = [:]

    var count: Int { phases.count }

    mutating func opened(_ id: ID, at now: Duration) { phases[id] = .request(since: now) }

    mutating func asked(_ id: ID) { change(id, to: .answer) }

    mutating func answered(_ id: ID, at now: Duration) { change(id, to: .taking(since: now)) }

    /// The answer was taken; another request may follow.
    mutating func ended(_ id: ID, at now: Duration) { change(id, to: .request(since: now)) }

    mutating func closed(_ id: ID) { phases[id] = nil }

    private mutating func change(_ id: ID, to phase: Phase) {
        if phases[id] != nil { phases[id] = phase }
    }

    /// Those whose time is over.
    func overdue(at now: Duration, isFull: Bool) -> [ID] {
        phases.compactMap { id, phase in
            deadline(phase, isFull: isFull).map { $0 <= now } == true ? id : nil
        }
    }

    /// When the next one's time is over; nil: nobody is waited for.
    func nextDeadline(isFull: Bool) -> Duration? {
        phases.values.lazy.compactMap { deadline($0, isFull: isFull) }.min()
    }

    private func deadline(_ phase: Phase, isFull: Bool) -> Duration? {
        switch phase {
        case .request(let since):
            since + (isFull ? Self.requestLimitWhenFull : Self.requestLimit)
        case .answer: nil
        case .taking(let since): since + Self.takingLimit
        }
    }
}
