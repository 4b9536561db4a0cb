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
        CivilDate(daysSince1970: unixSeconds / 86_400 - (unixSeconds % 86_400 < 0 ? 1 : 0))
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

extension Timestamp {
    /// Reads ISO 8601 extended: `2026-11-22T17:53:00Z`, perhaps with a fraction, which is dropped, or an
    /// offset in place of the `Z`.
    public init?(iso8601 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == UInt8(ascii: "T"),
            bytes[13] == 0x3A, bytes[16] == 0x3A,
            let year = Self.number(bytes[0..<4]), let month = Self.number(bytes[5..<7]),
            let day = Self.number(bytes[8..<10]), let hour = Self.number(bytes[11..<13]),
            let minute = Self.number(bytes[14..<16]), let second = Self.number(bytes[17..<19]),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        let date = CivilDate(year: Int(year), month: Int(month), day: Int(day))
        guard CivilDate(daysSince1970: date.daysSince1970) == date else { return nil }
        var rest = bytes[19...]
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let offset = Self.offset(rest) else { return nil }
        let time = hour * 3600 + minute * 60 + second
        self.init(unixSeconds: date.daysSince1970 * 86_400 + time - offset)
    }

    /// `Z`, `+hh:mm` or `-hh:mm`, in seconds.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int64? {
        if text.elementsEqual("Z".utf8) { return 0 }
        let bytes = Array(text)
        guard bytes.count == 6, bytes[0] == 0x2B || bytes[0] == 0x2D, bytes[3] == 0x3A,
            let hours = number(bytes[1..<3]), let minutes = number(bytes[4..<6])
        else { return nil }
        return (bytes[0] == 0x2D ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        digits.reduce(0) { number, digit in
            (0x30...0x39).contains(digit) ? number.map { $0 * 10 + Int64(digit - 0x30) } : nil
        }
    }
}
