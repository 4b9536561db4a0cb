/// The clock of one episode: how much of it counts for an event, by when that was accepted.
///
/// It follows the spool clock, stands while nobody can say whether the credentials still fail (while the connector is
/// paused, or S3 does not answer), and is credited what went by while the machine was off. Where it has to simplify it
/// counts less, never more: an event may wait longer for that, but is not given up early.
struct EpisodeTimeline: Sendable, Equatable {
    struct Stop: Sendable, Equatable {
        var from: Instant
        var to: Instant
    }

    /// Time that the spool clock did not see.
    struct Credit: Sendable, Equatable {
        /// It counts for what was accepted up to here.
        var at: Instant
        var by: Duration
    }

    let began: Instant
    /// In order, without overlap.
    private(set) var stops: [Stop] = []
    private(set) var credits: [Credit] = []
    private(set) var standsSince: Instant?

    /// More stops than these are joined, the oldest first; older credits go.
    static let mostStops = 64
    static let mostCredits = 16

    init(began: Instant) {
        self.began = began
    }

    /// How much has counted by `end` for an event accepted at `accepted`.
    func counted(from accepted: Instant, to end: Instant) -> Duration {
        let start = max(accepted, began)
        let end = min(end, standsSince ?? end)
        guard start < end else { return .zero }
        var counted = end - start
        for stop in stops {
            let (from, to) = (max(stop.from, start), min(stop.to, end))
            if from < to { counted = counted - (to - from) }
        }
        for credit in credits where credit.at >= start && credit.at <= end {
            counted = counted + credit.by
        }
        return counted
    }

    mutating func stand(at now: Instant) {
        standsSince = standsSince ?? now
    }

    mutating func goOn(at now: Instant) {
        guard let since = standsSince else { return }
        standsSince = nil
        guard since < now else { return }
        stops.append(Stop(from: since, to: now))
        if stops.count > Self.mostStops {
            stops[1].from = stops[0].from
            stops.removeFirst()
        }
    }

    mutating func credit(_ duration: Duration, at moment: Instant) {
        credits.append(Credit(at: moment, by: duration))
        if credits.count > Self.mostCredits { credits.removeFirst() }
    }

    /// As it was when it was kept.
    init(began: Instant, stops: [Stop], credits: [Credit], standsSince: Instant?) {
        self.began = began
        self.stops = stops
        self.credits = credits
        self.standsSince = standsSince
    }
}
