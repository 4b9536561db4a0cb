/// A number of bytes, read from `"64MiB"`, `"10MB"`, `"512"` and written for people.
public struct ByteCount: Hashable, Comparable, Sendable {
    public var bytes: UInt64

    public init(_ bytes: UInt64) {
        self.bytes = bytes
    }

    /// Reads a size: a whole number and a unit of B, kB, MB, GB, TB, KiB, MiB, GiB or TiB.
    public init?(_ text: String) {
        let digits = text.prefix { ("0"..."9").contains($0) }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = UInt64(digits), let factor = Self.units[String(unit)] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        bytes = product
    }

    /// The shortest text that `init(_:)` reads back: `64MiB`, `5GB`, `1000001B`.
    public var text: String {
        let whole = Self.units.filter { !$0.key.isEmpty && $0.key != "KB" && bytes % $0.value == 0 }
        // A multiple of GB and of MiB is written with the larger unit of the two.
        let unit = whole.max { $0.value < $1.value }
        guard bytes > 0, let unit else { return "0B" }
        return "\(bytes / unit.value)\(unit.key)"
    }

    private static let units: [String: UInt64] = [
        "": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000,
        "TB": 1_000_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
    ]

    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}

extension ByteCount: CustomStringConvertible {
    /// Decimal units with one digit after the point below ten: `1.2 GB`, `58 kB`, `912 B`.
    public var description: String {
        var (value, unit) = (bytes, "B")
        var tenths: UInt64 = 0
        for next in ["kB", "MB", "GB", "TB"] where value >= 1000 {
            tenths = value / 100
            value /= 1000
            unit = next
        }
        if unit == "B" { return "\(bytes) B" }
        return value < 10 ? "\(tenths / 10).\(tenths % 10) \(unit)" : "\(value) \(unit)"
    }
}
