import Glibc

/// Time since the boot, sleep included: it only goes forward, and nobody sets it.
public enum BootClock {
    public static func now() -> Duration {
        var time = timespec()
        // It fails only for a clock that does not exist, and every Linux has this one.
        clock_gettime(CLOCK_BOOTTIME, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
