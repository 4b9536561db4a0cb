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

    /// Since the boot, without the time that the machine slept.
    static func awake() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Tells one boot of the machine from another: proc_sys_kernel(5).
    static func boot() -> String {
        guard let file = fopen("/proc/sys/kernel/random/boot_id", "re") else { return "unknown" }
        defer { fclose(file) }
        var line = [UInt8](repeating: 0, count: 64)
        let count = fread(&line, 1, line.count, file)
        return String(decoding: line.prefix(count).prefix { $0 > 0x20 }, as: UTF8.self)
    }

    static func microseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, time.tv_sec)) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }

    static func now() -> Timestamp {
        Timestamp(unixSeconds: Int64(time(nil)))
    }
}
