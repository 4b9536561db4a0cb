import Model
import Synchronization

/// The clocks of a machine that a test moves: one since the boot, and one on the wall.
nonisolated final class VirtualTime: Sendable {
    private struct Clocks {
        var sinceBoot = Duration.seconds(100)
        var wall: Int64 = 1_795_000_000 / 3600 * 3600
        var boots = 1
        /// Minutes of true time since the test began.
        var minutes = 0
    }

    private let clocks = Mutex(Clocks())

    var sinceBoot: Duration { clocks.withLock { $0.sinceBoot } }
    var wall: Timestamp { clocks.withLock { Timestamp(unixSeconds: $0.wall) } }
    var boot: String { clocks.withLock { "boot-\($0.boots)" } }
    var minutes: Int { clocks.withLock { $0.minutes } }

    func passMinute() {
        clocks.withLock {
            $0.sinceBoot += .seconds(60)
            $0.wall += 60
            $0.minutes += 1
        }
    }

    /// Somebody sets the wall clock.
    func setWall(ahead seconds: Int64) {
        clocks.withLock { $0.wall += seconds }
    }

    /// The machine was off for so long, and starts anew.
    func powerCycle(minutes: Int) {
        clocks.withLock {
            $0.sinceBoot = .seconds(20)
            $0.wall += Int64(minutes) * 60
            $0.boots += 1
            $0.minutes += minutes
        }
    }
}
