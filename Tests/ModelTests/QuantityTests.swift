import Model
import Testing

@Suite struct ByteCountTests {
    @Test(
        "Sizes are read in decimal and binary units",
        arguments: [
            ("0", 0), ("512", 512), ("512B", 512), ("1kB", 1000), ("1KB", 1000),
            ("10MB", 10_000_000),
            ("10 MB", 10_000_000), ("64MiB", 67_108_864), ("64KiB", 65_536), ("1GiB", 1 << 30),
            ("5GB", 5_000_000_000), ("2TB", 2_000_000_000_000), ("1TiB", 1 << 40),
            ("18446744073709551615", UInt64.max),
        ])
    func read(text: String, bytes: UInt64) {
        #expect(ByteCount(text) == ByteCount(bytes))
    }

    @Test(
        "What is no size is refused",
        arguments: [
            "", "MB", "-1", "+1", "1.5GB", "1mb", "1 M", "1G", " 1", "1MB ", "1e3", "٣",
            "18446744073709551616", "16777216TiB", "18446745TB",
        ])
    func refused(text: String) {
        #expect(ByteCount(text) == nil)
    }

    @Test(
        "People read three digits and a unit",
        arguments: [
            (0, "0 B"), (912, "912 B"), (999, "999 B"), (1000, "1.0 kB"), (1999, "1.9 kB"),
            (9999, "9.9 kB"), (10_000, "10 kB"), (58_300, "58 kB"), (999_999, "999 kB"),
            (1_000_000, "1.0 MB"), (1_234_567_890, "1.2 GB"), (5_000_000_000_000, "5.0 TB"),
            (1_234_000_000_000_000, "1234 TB"), (UInt64.max / 10 + 1, "1844674 TB"),
            (UInt64.max, "18446744 TB"),
        ])
    func written(bytes: UInt64, text: String) {
        #expect(ByteCount(bytes).description == text)
    }

    @Test(
        "The exact text of a size is the shortest one that is read back",
        arguments: [
            (0, "0B"), (1, "1B"), (1000, "1kB"), (1024, "1KiB"), (64 << 20, "64MiB"),
            (5_000_000_000, "5GB"), (15_000, "15kB"), (1_000_001, "1000001B"),
            (1_024_000, "1000KiB"), (UInt64.max, "18446744073709551615B"),
        ])
    func exact(bytes: UInt64, text: String) {
        #expect(ByteCount(bytes).text == text)
        #expect(ByteCount(text) == ByteCount(bytes))
    }
}

@Suite struct DurationTextTests {
    @Test(
        "Durations are read from whole numbers with units, the largest first",
        arguments: [
            ("5m", .seconds(300)), ("48h", .seconds(172_800)), ("90s", .seconds(90)),
            ("1h30m", .seconds(5400)), ("250ms", .milliseconds(250)), ("2d", .seconds(172_800)),
            ("1d2h3m4s5ms", .milliseconds(93_784_005)), ("0s", .zero), ("007s", .seconds(7)),
            ("9223372036854775807ms", .milliseconds(Int64.max)),
        ] as [(String, Duration)])
    func read(text: String, duration: Duration) {
        #expect(Duration(text: text) == duration)
    }

    @Test(
        "What is no duration is refused",
        arguments: [
            "", "5", "m", "5 m", "5 minutes", "5min", "1.5h", "-5m", "+5m", "30m1h", "5m5m", "5M",
            "1h 30m", " 5m", "5m ", "٣m", "5us", "9223372036854775808ms", "9223372036854775807s",
            "106751991167d99999999999h",
        ])
    func refused(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test(
        "What is written is read back",
        arguments: [
            (.zero, "0s"), (.milliseconds(1), "1ms"), (.seconds(1), "1s"), (.seconds(60), "1m"),
            (.seconds(300), "5m"), (.seconds(3600), "1h"), (.seconds(5400), "1h30m"),
            (.seconds(172_800), "2d"), (.milliseconds(93_784_005), "1d2h3m4s5ms"),
        ] as [(Duration, String)])
    func written(duration: Duration, text: String) {
        #expect(duration.text == text)
        #expect(Duration(text: text) == duration)
    }
}

@Suite struct NumberTextTests {
    @Test(
        "Commas stand between thousands",
        arguments: [
            (0, "0"), (999, "999"), (1000, "1,000"), (15_000, "15,000"), (1_234_567, "1,234,567"),
            (-1, "-1"), (-100, "-100"), (-1000, "-1,000"), (Int.min, "-9,223,372,036,854,775,808"),
        ])
    func commas(number: Int, text: String) {
        #expect(grouped(number) == text)
    }
}
