public import Model

/// The date in an answer's head: `Sun, 22 Nov 2026 18:25:37 GMT`.
///
/// Only the form that servers must send is read. Source: RFC 9110, section 5.6.7, IMF-fixdate.
public enum HTTPDate {
    public static func timestamp(_ text: String) -> Timestamp? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", words[0].utf8.count == 4,
            let day = number(words[1], 2), let month = months.firstIndex(of: String(words[2])),
            let year = number(words[3], 4)
        else { return nil }
        let parts = words[4].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = number(parts[0], 2), let minute = number(parts[1], 2),
            let second = number(parts[2], 2), hour < 24, minute < 60, second <= 60
        else { return nil }
        let date = CivilDate(year: year, month: month + 1, day: day)
        guard CivilDate(daysSince1970: date.daysSince1970) == date else { return nil }
        let time = Int64(hour * 3600 + minute * 60 + second)
        return Timestamp(unixSeconds: date.daysSince1970 * 86_400 + time)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func number(_ text: Substring, _ digits: Int) -> Int? {
        guard text.utf8.count == digits, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
