internal import CSystemd

/// The manager's watch over the main loop: `WatchdogSec=` of systemd.service(5).
public enum Watchdog {
    /// How often to send `Notify.Message.watchdog`; nil where this process is not watched.
    ///
    /// Half of what the manager allows, as sd_watchdog_enabled(3) advises. `$WATCHDOG_USEC` counts only
    /// where `$WATCHDOG_PID` is this process.
    public static var interval: Duration? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        // Above 2^63 microseconds (292,000 years) nobody waits.
        return .microseconds(Int64(clamping: microseconds / 2))
    }
}
