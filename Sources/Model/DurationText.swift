extension Duration {
    /// Reads a duration: whole numbers with units, the largest first, each unit once.
    ///
    /// `"5m"`, `"48h"`, `"90s"`, `"1h30m"`, `"250ms"`, `"2d"`. A number without a unit, a sign, a
    /// fraction and a space are refused, and so is what does not fit.
    public init?(text: String) {
        var rest = Substring(text)
        var milliseconds: Int64 = 0
        var largestAllowed = Self.units.startIndex
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isWholeNumber }
            let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(digits.count + unit.count)
            guard let number = Int64(digits),
                let index = Self.units[largestAllowed...].firstIndex(where: { $0.name == unit })
            else { return nil }
            largestAllowed = index + 1
            let (product, tooLarge) = number.multipliedReportingOverflow(
                by: Self.units[index].milliseconds)
            let (sum, tooLargeInAll) = milliseconds.addingReportingOverflow(product)
            guard !tooLarge, !tooLargeInAll else { return nil }
            milliseconds = sum
        }
        self = .milliseconds(milliseconds)
    }

    /// The shortest text that `init(text:)` reads back: `1h30m`. What is below a millisecond is lost.
    public var text: String {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        precondition(!overflow && seconds >= 0, "only durations that init(text:) reads are written")
        var rest = whole + attoseconds / 1_000_000_000_000_000
        guard rest > 0 else { return "0s" }
        var text = ""
        for unit in Self.units where rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return text
    }

    /// From the largest down.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
}
