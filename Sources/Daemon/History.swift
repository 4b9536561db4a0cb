import Model

/// What became of the events of the whole daemon, minute by minute, for the last hours.
///
/// One ring for all connectors, so that its size depends on nothing. Time is a parameter: whoever owns it samples once a
/// minute or so.
nonisolated struct History: Sendable, Equatable {
    /// What was counted since the daemon started.
    struct Flow: Sendable, Equatable {
        var deliveredEvents = 0
        var deliveredBytes: UInt64 = 0
        /// Given up by the window.
        var droppedEvents = 0
    }

    struct Sample: Sendable, Equatable {
        /// Of the minute.
        var flow = Flow()
        /// At its end.
        var heldEvents = 0
        var heldBytes: UInt64 = 0
    }

    static let interval = Duration.seconds(60)
    /// Six hours of minutes.
    static let limit = 360

    /// A ring: `start` is the oldest once it is full.
    private var ring: [Sample] = []
    private var start = 0
    private var counted = Flow()
    private var sampledAt: Duration
    /// When the last minute ended, by the wall clock.
    private(set) var end: Timestamp

    init(at uptime: Duration, wall: Timestamp) {
        sampledAt = uptime
        end = wall
    }

    var samples: [Sample] { Array(ring[start...] + ring[..<start]) }

    /// Takes note of how things stand, a minute or more after the last time.
    ///
    /// Minutes in which nobody could look, since the machine slept, count as minutes without deliveries.
    mutating func sample(
        flow: Flow, heldEvents: Int, heldBytes: UInt64, at uptime: Duration, wall: Timestamp
    ) {
        let last = ring.isEmpty ? Sample() : ring[(start + ring.count - 1) % ring.count]
        let passed = (uptime - sampledAt) / Self.interval
        // Half a minute early or late is still the same minute: timers have leeway.
        let missed = min(Int(max(0, passed.rounded() - 1)), Self.limit)
        for _ in 0..<missed {
            append(Sample(heldEvents: last.heldEvents, heldBytes: last.heldBytes))
        }
        append(
            Sample(
                flow: Flow(
                    deliveredEvents: flow.deliveredEvents - counted.deliveredEvents,
                    deliveredBytes: flow.deliveredBytes - counted.deliveredBytes,
                    droppedEvents: flow.droppedEvents - counted.droppedEvents),
                heldEvents: heldEvents, heldBytes: heldBytes))
        (counted, sampledAt, end) = (flow, uptime, wall)
    }

    private mutating func append(_ sample: Sample) {
        guard ring.count == Self.limit else { return ring.append(sample) }
        ring[start] = sample
        start = (start + 1) % Self.limit
    }

    /// The answer to `GET /history`.
    func json(now: Timestamp) -> JSONText {
        let samples = samples
        func numbers(_ number: (Sample) -> Int) -> JSONText {
            .array(samples.map { .integer(number($0)) })
        }
        return .object([
            ("now", .string(now.extended)),
            ("interval_seconds", .integer(Int(Self.interval.components.seconds))),
            ("end", .string(end.extended)),
            (
                "samples",
                .object([
                    ("delivered_events", numbers(\.flow.deliveredEvents)),
                    ("delivered_bytes", numbers { Int(clamping: $0.flow.deliveredBytes) }),
                    ("held_events", numbers(\.heldEvents)),
                    ("held_bytes", numbers { Int(clamping: $0.heldBytes) }),
                    ("dropped_events", numbers(\.flow.droppedEvents)),
                ])
            ),
        ])
    }
}
