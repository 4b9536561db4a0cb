/// A UTC hour, counted from 1970-01-01T00. It is part of object keys, so its text form is fixed.
public struct Hour: Hashable, Comparable, Sendable {
    public var hoursSince1970: Int

    public init(hoursSince1970: Int) {
        self.hoursSince1970 = hoursSince1970
    }

    /// The hour that contains the given Unix time.
    public init(unixSeconds: Int64) {
        hoursSince1970 = Int(unixSeconds / 3600 - (unixSeconds % 3600 < 0 ? 1 : 0))
    }

    public static func < (left: Hour, right: Hour) -> Bool {
        left.hoursSince1970 < right.hoursSince1970
    }
}

extension Hour: CustomStringConvertible {
    /// `YYYY-MM-DD-HH`, as in the `date=` part of a key.
    public var description: String {
        let hour = (hoursSince1970 % 24 + 24) % 24
        let date = CivilDate(daysSince1970: Int64((hoursSince1970 - hour) / 24))
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "-\(padded(hour, 2))"
    }

    /// Reads `YYYY-MM-DD-HH`; nil for anything else, including dates that do not exist.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts.map(\.utf8.count) == [4, 2, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            let hour = Int(parts[3]), hour < 24
        else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSince1970
        guard days >= 0,
            CivilDate(daysSince1970: days) == CivilDate(year: year, month: month, day: day)
        else { return nil }
        hoursSince1970 = Int(days) * 24 + hour
    }
}
