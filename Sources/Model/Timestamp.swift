/// Seconds since 1970-01-01T00:00:00Z by the wall clock, and their texts.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var unixSeconds: Int64

    public init(unixSeconds: Int64) {
        self.unixSeconds = unixSeconds
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.unixSeconds < right.unixSeconds
    }

    private var date: CivilDate {
        let days = unixSeconds >= 0 ? unixSeconds / 86_400 : (unixSeconds - 86_399) / 86_400
        return CivilDate(daysSince1970: days)
    }

    private var secondOfDay: Int64 {
        let rest = unixSeconds % 86_400
        return rest >= 0 ? rest : rest + 86_400
    }

    /// ISO 8601 extended, to the second: `2026-11-22T17:53:00Z`.
    public var extended: String {
        let (date, second) = (date, secondOfDay)
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))Z"
    }

    /// ISO 8601 basic, as Signature Version 4 wants it: `20261122T175300Z`.
    public var basic: String {
        let (date, second) = (date, secondOfDay)
        return "\(padded(date.year, 4))\(padded(date.month, 2))\(padded(date.day, 2))"
            + "T\(padded(second / 3600, 2))\(padded(second / 60 % 60, 2))\(padded(second % 60, 2))Z"
    }
}
