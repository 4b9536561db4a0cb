import Model
import Testing

@Suite struct TimestampTests {
    @Test(
        "A moment is written in both forms of ISO 8601",
        arguments: [
            (0, "1970-01-01T00:00:00Z", "19700101T000000Z"),
            (-1, "1969-12-31T23:59:59Z", "19691231T235959Z"),
            (-86_400, "1969-12-31T00:00:00Z", "19691231T000000Z"),
            (951_827_696, "2000-02-29T12:34:56Z", "20000229T123456Z"),
            (1_795_369_980, "2026-11-22T17:53:00Z", "20261122T175300Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z", "21000101T000000Z"),
        ])
    func forms(unixSeconds: Int64, extended: String, basic: String) {
        let moment = Timestamp(unixSeconds: unixSeconds)
        #expect(moment.extended == extended)
        #expect(moment.basic == basic)
    }

    @Test("The hour of a moment begins both texts")
    func sameHour() {
        for unixSeconds in stride(from: Int64(-9_999_999), to: 2_000_000_000, by: 7_654_321) {
            let hour = Hour(unixSeconds: unixSeconds).description
            let text = Timestamp(unixSeconds: unixSeconds).extended
            #expect(text.prefix(13) == hour.prefix(10) + "T" + hour.suffix(2))
        }
    }

    @Test(
        "ISO 8601 is read with a fraction and with an offset",
        arguments: [
            ("2026-11-22T17:53:00Z", 1_795_369_980), ("2026-11-22T17:53:00.999Z", 1_795_369_980),
            ("2026-11-22T17:53:00+00:00", 1_795_369_980),
            ("2026-11-22T19:23:00.5+01:30", 1_795_369_980),
            ("2026-11-22T12:53:00-05:00", 1_795_369_980), ("1969-12-31T23:59:59Z", -1),
            ("2024-02-29T00:00:00Z", 1_709_164_800),
        ])
    func iso8601(_ text: String, _ seconds: Int64) {
        #expect(Timestamp(iso8601: text) == Timestamp(unixSeconds: seconds))
    }

    @Test(
        "What is no time of ISO 8601 is refused",
        arguments: [
            "", "2026-11-22", "2026-11-22T17:53:00", "2026-11-22 17:53:00Z", "2026-02-30T00:00:00Z",
            "2026-11-22T24:00:00Z", "2026-11-22T17:53:00.Z", "2026-11-22T17:53:00Zx",
            "2026-11-22T17:53:00+0000", "x026-11-22T17:53:00Z", "2026-11-22T1a:53:00Z",
        ])
    func notISO8601(_ text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }
}
