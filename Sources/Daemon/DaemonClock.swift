import Delivery
import Model
import Synchronization

/// The clocks that the daemon goes by: the spool clock for all decisions, the wall clock for what people read.
nonisolated final class DaemonClock: Sendable {
    private let clock: Mutex<SpoolClock>
    let bootTime: @Sendable () -> Duration
    /// The machine was started anew since the stamp that the spool had.
    let hasBooted: Bool
    let now: @Sendable () -> Timestamp

    /// Goes on from the stamp that the spool has; nil for a new spool.
    init(
        after stamp: SpoolClock?, boot: String = Clocks.boot(),
        bootTime: @escaping @Sendable () -> Duration = Clocks.uptime,
        now: @escaping @Sendable () -> Timestamp = Clocks.now
    ) {
        hasBooted = stamp.map { $0.boot != boot } ?? false
        clock = Mutex(SpoolClock(after: stamp, boot: boot, bootTime: bootTime()))
        self.bootTime = bootTime
        self.now = now
    }

    func instant() -> Instant {
        clock.withLock { $0.reading(at: bootTime()) }
    }

    /// The spool clock as the spool has it.
    func reading() -> Duration { instant() - Instant(nanoseconds: 0) }

    /// What is kept in the spool, so that the clock never goes back.
    func stamp() -> SpoolClock {
        clock.withLock { $0.stamped(at: bootTime()) }
    }

    /// Goes forward to a reading that something in the spool proves.
    func raise(to reading: Duration) {
        clock.withLock { $0.raise(to: Instant(nanoseconds: 0) + reading, at: bootTime()) }
    }

    /// What the wall clock says at an instant, as it stands now.
    func time(of instant: Instant) -> Timestamp {
        Timestamp(
            unixSeconds: now().unixSeconds + (instant - self.instant()).components.seconds)
    }
}
