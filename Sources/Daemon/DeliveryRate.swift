/// What one connector delivered in the last minute, counted in steps of five seconds.
///
/// It has no timer: old buckets are passed over when it is read.
nonisolated struct DeliveryRate: Sendable, Equatable {
    private struct Bucket: Equatable {
        var number: Int64
        var events = 0
        var bytes: UInt64 = 0
    }

    static let window: Int64 = 60
    static let bucketSeconds: Int64 = 5

    /// Those in which anything was delivered, the oldest first; never more than the window has, and one.
    private var buckets: [Bucket] = []

    /// - Parameter uptime: on a clock that never goes back.
    mutating func add(events: Int, bytes: UInt64, at uptime: Duration) {
        let number = Self.number(uptime)
        if buckets.last.map({ $0.number < number }) ?? true {
            buckets.removeAll { !Self.counts($0, at: number) }
            buckets.append(Bucket(number: number))
        }
        buckets[buckets.count - 1].events += events
        buckets[buckets.count - 1].bytes += bytes
    }

    /// A second's share, rounded up, so that a trickle is not nothing.
    func perSecond(at uptime: Duration) -> (events: Int, bytes: UInt64) {
        let number = Self.number(uptime)
        var (events, bytes) = (0, UInt64(0))
        for bucket in buckets where Self.counts(bucket, at: number) {
            events += bucket.events
            bytes += bucket.bytes
        }
        let window = UInt64(Self.window)
        return (Int((UInt64(events) + window - 1) / window), (bytes + window - 1) / window)
    }

    private static func number(_ uptime: Duration) -> Int64 {
        uptime.components.seconds / bucketSeconds
    }

    private static func counts(_ bucket: Bucket, at number: Int64) -> Bool {
        number - bucket.number < window / bucketSeconds
    }
}
