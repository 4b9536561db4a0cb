import Delivery
import Glibc
import Model

/// The clocks of this machine.
nonisolated enum Clocks {
    /// Since the boot, sleep included; never goes back.
    static func uptime() -> Duration {
        var time = timespec()
        // It fails only for a clock that does not exist, and every Linux has this one.
        clock_gettime(CLOCK_BOOTTIME, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    static func instant() -> Instant {
        Instant(nanoseconds: 0) + uptime()
    }

    static func now() -> Timestamp {
        Timestamp(unixSeconds: Int64(time(nil)))
    }
}
