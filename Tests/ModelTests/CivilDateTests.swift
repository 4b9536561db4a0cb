import Model
import Testing

@Suite struct CivilDateTests {
    @Test(
        "A day since 1970 and its date belong together",
        arguments: [
            (0, 1970, 1, 1), (-1, 1969, 12, 31), (31, 1970, 2, 1), (789, 1972, 2, 29),
            (790, 1972, 3, 1), (10_956, 1999, 12, 31), (11_016, 2000, 2, 29), (11_017, 2000, 3, 1),
            (47_540, 2100, 2, 28), (47_541, 2100, 3, 1), (20_779, 2026, 11, 22),
            (-25_509, 1900, 2, 28), (-25_508, 1900, 3, 1), (-135_081, 1600, 2, 29),
            (-719_468, 0, 3, 1), (-719_529, -1, 12, 31), (2_932_896, 9999, 12, 31),
        ])
    func pairs(days: Int64, year: Int, month: Int, day: Int) {
        let date = CivilDate(year: year, month: month, day: day)
        #expect(CivilDate(daysSince1970: days) == date)
        #expect(date.daysSince1970 == days)
    }

    @Test("Counting every day of eight centuries by hand gives the same dates")
    func everyDay() {
        var date = CivilDate(year: 1600, month: 1, day: 1)
        for days in date.daysSince1970...CivilDate(year: 2400, month: 1, day: 1).daysSince1970 {
            #expect(CivilDate(daysSince1970: days) == date)
            let isLeap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            date.day += 1
            if date.day > lengths[date.month - 1] { (date.month, date.day) = (date.month + 1, 1) }
            if date.month > 12 { (date.year, date.month) = (date.year + 1, 1) }
        }
        #expect(date == CivilDate(year: 2400, month: 1, day: 2))
    }

    @Test(
        "Numbers are filled with zeros after their sign",
        arguments: [(7, 2, "07"), (0, 4, "0000"), (12_345, 4, "12345"), (-1, 4, "-0001")])
    func zeros(number: Int, width: Int, text: String) {
        #expect(padded(number, width) == text)
    }
}
