import Testing

@testable import Delivery

@Suite struct SpoolClockTests {
    private static func seconds(_ seconds: Int64) -> Instant {
        Instant(nanoseconds: seconds * 1_000_000_000)
    }

    @Test("A new spool begins at zero, whenever its machine was started")
    func beginning() {
        let clock = SpoolClock(after: nil, boot: "one", bootTime: .seconds(5_000))
        #expect(clock.reading == Self.seconds(0))
        #expect(clock.reading(at: .seconds(5_030)) == Self.seconds(30))
    }

    @Test("Within a boot it follows the boot's clock, over restarts of the daemon too")
    func restart() {
        let first = SpoolClock(after: nil, boot: "one", bootTime: .seconds(100))
        let second = SpoolClock(after: first, boot: "one", bootTime: .seconds(400))
        #expect(second.reading == Self.seconds(300))
        #expect(second.stamped(at: .seconds(460)).reading == Self.seconds(360))
    }

    @Test(
        "Over a boot it goes on where the last stamp left it, whatever the boot's clock says",
        arguments: [0, 50, 100_000] as [Int64])
    func boot(bootTime: Int64) {
        let stamp = SpoolClock(after: nil, boot: "one", bootTime: .zero).stamped(at: .seconds(300))
        let clock = SpoolClock(after: stamp, boot: "two", bootTime: .seconds(bootTime))
        #expect(clock.reading == Self.seconds(300))
        #expect(clock.reading(at: .seconds(bootTime + 7)) == Self.seconds(307))
    }

    @Test("It never goes back", arguments: [-1, 0, 99] as [Int64])
    func monotonic(bootTime: Int64) {
        let stamp = SpoolClock(after: nil, boot: "one", bootTime: .seconds(100))
        #expect(stamp.reading(at: .seconds(bootTime)) == stamp.reading)
        let restarted = SpoolClock(after: stamp, boot: "one", bootTime: .seconds(bootTime))
        #expect(restarted.reading == stamp.reading)
    }

    @Test(
        "What the spool proves raises it, and never lowers it",
        arguments: [(0, 60), (60, 60), (90, 90)] as [(Int64, Int64)])
    func raise(least: Int64, reading: Int64) {
        var clock = SpoolClock(after: nil, boot: "one", bootTime: .zero)
        clock.raise(to: Self.seconds(least), at: .seconds(60))
        #expect(clock.reading(at: .seconds(60)) == Self.seconds(reading))
        #expect(clock.reading(at: .seconds(61)) == Self.seconds(reading + 1))
    }
}
