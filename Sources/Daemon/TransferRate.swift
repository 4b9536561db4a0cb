/// How fast something goes, from what went in the last seconds, and how long the rest will take.
///
/// It has no timer: what is too old is passed over when it is read. Times are of a clock that never goes back.
nonisolated struct TransferRate: Sendable, Equatable {
    /// Long enough that parts which come in bursts do not make it jump, short enough that a stall shows.
    static let window = Duration.seconds(15)

    private struct Second: Equatable {
        var number: Int64
        var bytes: UInt64
    }

    private let began: Duration
    /// Those in which anything went, the oldest first.
    private var seconds: [Second] = []

    init(at now: Duration) {
        began = now
    }

    mutating func add(_ bytes: UInt64, at now: Duration) {
        let number = now.components.seconds
        if seconds.last?.number != number {
            seconds.removeAll { !Self.counts($0, at: now) }
            seconds.append(Second(number: number, bytes: 0))
        }
        seconds[seconds.count - 1].bytes += bytes
    }

    /// Bytes a second; of the first second, as if it were over.
    func perSecond(at now: Duration) -> UInt64 {
        let bytes = seconds.lazy.filter { Self.counts($0, at: now) }.reduce(0) { $0 + $1.bytes }
        let elapsed = min(Self.window, max(.seconds(1), now - began))
        return UInt64(Double(bytes) / (elapsed / .seconds(1)))
    }

    /// Whole seconds, rounded up, in which so many more bytes will have gone; nil: nothing goes.
    func secondsLeft(for bytes: UInt64, at now: Duration) -> Int? {
        let rate = perSecond(at: now)
        return rate == 0 ? nil : Int(clamping: (bytes + rate - 1) / rate)
    }

    private static func counts(_ second: Second, at now: Duration) -> Bool {
        now.components.seconds - second.number < window.components.seconds
    }
}

/// How far an object is on its way.
nonisolated struct UploadProgress: Sendable, Equatable {
    var key: String
    var size: UInt64
    var sent: UInt64
    var bytesPerSecond: UInt64
    /// nil: nothing goes at present.
    var secondsLeft: Int?

    /// Smaller objects are there before anybody has looked.
    static let leastSize: UInt64 = 16 << 20
}
