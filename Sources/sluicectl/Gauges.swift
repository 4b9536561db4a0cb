import Model

/// Numbers as pictures of one line.
enum Gauge {
    /// A bar of so many characters, of which a part is full. What is not nothing is seen, and what is not all, too.
    static func bar(_ part: Double, width: Int, _ look: Look) -> String {
        let frame = look.isUnicode ? ("", "█", "░", "") : ("[", "#", ".", "]")
        let room = max(1, look.isUnicode ? width : width - 2)
        let part = min(1, max(0, part.isFinite ? part : 0))
        var full = Int((part * Double(room)).rounded())
        if part > 0, room > 1 { full = max(1, full) }
        if part < 1, room > 1 { full = min(room - 1, full) }
        return frame.0 + String(repeating: frame.1, count: full)
            + String(repeating: frame.2, count: room - full) + frame.3
    }

    /// A character for each number, higher for larger ones; the highest stands for `top`. nil is a gap.
    static func sparkline(_ numbers: [Int?], top: Int, _ look: Look) -> String {
        let levels = Array(look.isUnicode ? "▁▂▃▄▅▆▇█" : "_.:-=+*#")
        return String(
            numbers.map { number in
                guard let number else { return " " }
                guard number > 0, top > 0 else { return levels[0] }
                let height = (Double(number) / Double(top) * Double(levels.count - 1)).rounded(.up)
                return levels[min(levels.count - 1, max(1, Int(height)))]
            })
    }
}

/// Seven characters at most: `999,999`, `1.2 M`, `123 M`.
func short(_ number: Int) -> String {
    guard number >= 1_000_000 else { return grouped(number) }
    var (value, unit, tenths) = (number / 1000, "k", 0)
    for next in ["M", "G", "T"] where value >= 1000 {
        tenths = value / 100
        (value, unit) = (value / 1000, next)
    }
    return value < 10 ? "\(tenths / 10).\(tenths % 10) \(unit)" : "\(value) \(unit)"
}

extension DaemonStatus.Rate {
    /// `1,234 events/s, 5.6 MB/s`
    var text: String {
        guard events > 0 || bytes > 0 else { return "nothing" }
        let noun = events == 1 ? "event" : "events"
        return "\(short(events)) \(noun)/s, \(ByteCount(UInt64(bytes)))/s"
    }
}

extension DaemonStatus {
    /// That of all connectors together; nil where the daemon does not say it.
    var rate: Rate? {
        let rates = connectors.compactMap(\.rate)
        return rates.isEmpty ? nil : rates.reduce(Rate(), +)
    }

    /// How full the disk of the spool is; nil where the daemon does not say it.
    var fullness: Double? {
        guard let freeBytes, let sizeBytes else { return nil }
        return 1 - Double(min(freeBytes, sizeBytes)) / Double(sizeBytes)
    }

    /// `61% full, 97 GB of 250 GB free`
    var diskText: String? {
        guard let freeBytes else { return nil }
        let free = ByteCount(UInt64(freeBytes)).description
        guard let sizeBytes, let fullness else { return "\(free) free" }
        return "\(Int((fullness * 100).rounded(.down)))% full, \(free) of "
            + "\(ByteCount(UInt64(sizeBytes))) free"
    }
}
