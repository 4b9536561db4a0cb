internal import CSystemd
internal import Glibc

/// Messages to the service manager: sd_notify(3).
///
/// Without `$NOTIFY_SOCKET` nobody listens, and nothing is sent.
public enum Notify {
    /// What the manager may be told.
    public enum Message: Sendable, Equatable {
        /// Start-up, or a reload, is complete.
        case ready
        /// A reload begins; it carries the monotonic time, by which the manager tells it from older ones.
        case reloading
        /// The end begins.
        case stopping
        /// What `systemctl status` shows; one line.
        case status(String)
        /// Starting or stopping takes up to this long from now.
        case extendTimeout(Duration)
        /// The loop runs: puts off the watchdog.
        case watchdog
    }

    /// What became of a message.
    public enum Outcome: Sendable, Equatable {
        case sent
        /// No manager listens.
        case noManager
        /// An `errno` value.
        case failed(Int32)
    }

    /// Sends `messages` in one datagram.
    ///
    /// The C function is `sd_notify`.
    @discardableResult
    public static func send(_ messages: Message...) -> Outcome {
        let result = sd_notify(0, messages.map(text).joined(separator: "\n"))
        if result < 0 { return .failed(-result) }
        return result == 0 ? .noManager : .sent
    }

    private static func text(_ message: Message) -> String {
        switch message {
        case .ready: "READY=1"
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(monotonicMicroseconds())"
        case .stopping: "STOPPING=1"
        case .status(let line): "STATUS=\(EscapedText.of(line))"
        case .extendTimeout(let duration): "EXTEND_TIMEOUT_USEC=\(microseconds(duration))"
        case .watchdog: "WATCHDOG=1"
        }
    }

    private static func monotonicMicroseconds() -> Int64 {
        var now = timespec()
        // It fails only for a clock that does not exist, and every Linux has this one.
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
    }

    private static func microseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
