/// How long to wait before the next attempt: exponential, with full jitter.
///
/// Source: "Exponential Backoff And Jitter", AWS Architecture Blog; RFC 9110, section 10.2.3.
public struct Backoff: Sendable, Equatable {
    /// The upper bound of the first wait; it doubles with each failure.
    public var base: Duration
    /// No bound grows beyond this.
    public var cap: Duration
    /// A `Retry-After` is believed up to this: a server cannot silence us for a day.
    public var longestRetryAfter: Duration

    public init(
        base: Duration = .seconds(1), cap: Duration = .seconds(60),
        longestRetryAfter: Duration = .seconds(300)
    ) {
        self.base = base
        self.cap = cap
        self.longestRetryAfter = longestRetryAfter
    }

    /// The wait after `failures` failures in a row (at least one).
    ///
    /// - Parameter random: evenly distributed over 0..<1.
    public func delay(failures: Int, retryAfter: Duration? = nil, random: Double) -> Duration {
        // With a Retry-After the jitter is added: many clients are told the same moment.
        if let retryAfter {
            return max(.zero, min(retryAfter, longestRetryAfter)) + base * random
        }
        return bound(failures: failures) * random
    }

    /// The longest wait after so many failures.
    func bound(failures: Int) -> Duration {
        var (bound, doublings) = (base, failures - 1)
        while doublings > 0, bound < cap {
            bound *= 2
            doublings -= 1
        }
        return min(bound, cap)
    }
}

/// How often a connector that needs a person is tried: slowly, so that it costs S3 and us nothing.
enum ProbePace {
    static let pace = Backoff(base: .seconds(15), cap: .seconds(300))
    /// As long as S3 may have yet to learn of new credentials, which takes seconds.
    static let pendingPace = Backoff(base: .seconds(2), cap: .seconds(10))

    /// Between half of the bound and all of it. A short window is probed as often as a long one, for its length.
    static func delay(
        failures: Int, isPending: Bool = false, window: Duration, random: Double
    ) -> Duration {
        let bound = (isPending ? pendingPace : pace).bound(failures: failures)
        return min(bound, max(window / 20, .milliseconds(500))) * (0.5 + 0.5 * random)
    }
}
