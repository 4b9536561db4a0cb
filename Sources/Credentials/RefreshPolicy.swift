internal import Delivery

/// When a session is renewed.
///
/// Five minutes or up to half as much again before its end, spread by chance so that a fleet that
/// started at once does not renew at once. In its last minute requests wait for the renewal. Of short
/// sessions it is the last quarter and the last tenth. A failed renewal is tried again after a while.
nonisolated enum RefreshPolicy {
    struct Times: Equatable {
        /// When it is renewed, though nobody asks.
        var renewal: Duration
        /// From when on nobody gets it before a renewal was tried.
        var mandatory: Duration
    }

    /// - Parameters:
    ///   - lifetime: of the session, from now.
    ///   - random: evenly distributed over 0..<1.
    static func times(lifetime: Duration, random: Double) -> Times {
        let ahead = min(.seconds(300), lifetime / 4)
        return Times(
            renewal: lifetime - ahead * (1 + random / 2),
            mandatory: lifetime - min(.seconds(60), lifetime / 10))
    }

    /// The wait after a renewal that failed: a network mends itself, a refusal needs a person.
    static func pause(
        after failure: CredentialsUnavailable, failures: Int, random: Double
    ) -> Duration {
        let backoff =
            switch failure {
            case .unreachable: Backoff(base: .seconds(2), cap: .seconds(60))
            case .denied, .misconfigured: Backoff(base: .seconds(30), cap: .seconds(300))
            }
        return .seconds(1) + backoff.delay(failures: failures, random: random)
    }
}
