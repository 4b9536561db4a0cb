import Model

/// The clock by which the window is measured: it only goes forward, for the life of a spool.
///
/// Within a boot it follows CLOCK_BOOTTIME, over restarts of the daemon too; across boots it goes on where its last
/// stamp left it. No wall clock can move it. A value is a stamp: what the clock said at one moment of one boot.
public struct SpoolClock: Sendable, Equatable {
    public private(set) var reading: Instant
    /// Of `/proc/sys/kernel/random/boot_id`.
    public let boot: String
    /// CLOCK_BOOTTIME at the stamp.
    private let bootTime: Duration

    /// The clock of a spool, at a moment of this boot.
    ///
    /// - Parameter stamp: the last one that was kept; nil for a new spool.
    public init(after stamp: SpoolClock?, boot: String, bootTime: Duration) {
        self.boot = boot
        self.bootTime = bootTime
        guard let stamp else {
            reading = Instant(nanoseconds: 0)
            return
        }
        reading = stamp.boot == boot ? stamp.reading(at: bootTime) : stamp.reading
    }

    /// What it says at a later moment of the same boot.
    public func reading(at bootTime: Duration) -> Instant {
        reading + max(.zero, bootTime - self.bootTime)
    }

    /// Another stamp of the same clock.
    public func stamped(at bootTime: Duration) -> SpoolClock {
        SpoolClock(after: self, boot: boot, bootTime: bootTime)
    }

    /// Goes forward to a reading that something in the spool proves.
    public mutating func raise(to least: Instant, at bootTime: Duration) {
        guard reading(at: bootTime) < least else { return }
        self = SpoolClock(reading: least, boot: boot, bootTime: bootTime)
    }

    private init(reading: Instant, boot: String, bootTime: Duration) {
        self.reading = reading
        self.boot = boot
        self.bootTime = bootTime
    }
}

extension SpoolClock {
    func add(to text: inout CheckedText) {
        text.add("clock", reading.nanoseconds)
        text.add("boot", boot)
        text.add("boot-time", bootTime.nanoseconds)
    }

    init(_ text: CheckedText) throws(CheckedText.Fault) {
        let reading = try CheckedText.moment(text.value("clock"), of: "clock")
        let bootTime = try CheckedText.moment(text.value("boot-time"), of: "boot-time")
        self.init(
            reading: Instant(nanoseconds: reading), boot: try text.value("boot"),
            bootTime: .nanoseconds(bootTime))
    }
}

extension CheckedText {
    /// A number of nanoseconds, within 73 years of the origin of its clock: so sums and differences of them have a range.
    static func moment(_ text: some StringProtocol, of key: String) throws(Fault) -> Int64 {
        guard let number = Int64(text) else { throw .damaged("\(key) is no number") }
        guard number.magnitude <= 1 << 61 else { throw .damaged("\(key) is out of range") }
        return number
    }
}

extension Duration {
    /// Up to 292 years.
    var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
