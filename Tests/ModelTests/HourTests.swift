import Model
import Testing

@Suite struct HourTests {
    @Test(
        "A second belongs to the hour that contains it",
        arguments: [
            (0, "1970-01-01-00"), (3599, "1970-01-01-00"), (3600, "1970-01-01-01"),
            (-1, "1969-12-31-23"), (-3600, "1969-12-31-23"), (-3601, "1969-12-31-22"),
            (951_782_400, "2000-02-29-00"), (1_795_370_399, "2026-11-22-17"),
            (1_795_370_400, "2026-11-22-18"),
        ])
    func seconds(unixSeconds: Int64, text: String) {
        #expect(Hour(unixSeconds: unixSeconds).description == text)
    }

    @Test("Every second has an hour", arguments: [Int64.min, .min + 3598, .max])
    func extremes(unixSeconds: Int64) {
        let hour = Hour(unixSeconds: unixSeconds)
        #expect(!hour.description.isEmpty)
        #expect(!Timestamp(unixSeconds: unixSeconds).extended.isEmpty)
        #expect(abs(Double(hour.hoursSince1970) - Double(unixSeconds) / 3600) <= 1)
    }

    @Test("What is written is read back", arguments: [0, 1, 23, 24, 498_713, 70_389_527])
    func roundTrip(hours: Int) {
        let hour = Hour(hoursSince1970: hours)
        #expect(Hour(hour.description) == hour)
    }

    @Test(
        "Dates that do not exist and other forms are refused",
        arguments: [
            "2026-02-29-00", "2100-02-29-00", "2026-13-01-00", "2026-00-01-00", "2026-01-00-00",
            "2026-04-31-00", "2026-01-01-24", "2026-01-01", "2026-1-01-00", "26-01-01-00",
            "2026-01-01-00-00", "2026-01-01T00", "+026-01-01-00", "2026-01-01-+1", "",
            "1969-12-31-23", "２026-01-01-00",
        ])
    func refused(text: String) {
        #expect(Hour(text) == nil)
    }

    @Test("Hours are in order of time")
    func order() {
        #expect(Hour(unixSeconds: -1) < Hour(unixSeconds: 0))
        #expect(Hour(unixSeconds: 3599) < Hour(unixSeconds: 3600))
    }
}
