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

    /// More stops than these are joined; older credits go.
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

    /// - Parameter asked: up to where time has been counted before; it is not counted to any earlier moment again.
    mutating func goOn(at now: Instant, askedUpTo asked: Instant) {
        guard let since = standsSince else { return }
        standsSince = nil
        guard since < now else { return }
        stops.append(Stop(from: since, to: now))
        if stops.count > Self.mostStops { join(before: asked) }
    }

    /// Makes two stops one that is as long as both and ends with the later one.
    ///
    /// What counted between them then counts before them: just as much for an event that is older than both, and less
    /// for one that came in between. The two are taken for which this is least.
    private mutating func join(before asked: Instant) {
        func loss(_ later: Int) -> Duration {
            let earlier = stops[later - 1]
            return min(earlier.to - earlier.from, stops[later].from - earlier.to)
        }
        let whole = stops.indices.dropFirst().filter { stops[$0].to <= asked }
        if let later = whole.min(by: { loss($0) < loss($1) }) {
            let earlier = stops[later - 1]
            stops[later].from = stops[later].from + (earlier.from - earlier.to)
            stops.remove(at: later - 1)
        } else {
            // Counted up to the midst of them, that would be more: nothing counts between them.
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
