import Model

/// The name of a file that belongs to a batch, in `sealed/<connector>/` or `expired/<connector>/`.
///
/// ```
/// <batch>.object  <batch>.envelope  <batch>.uncertain
/// <batch>.delivered                                     a tombstone
/// <batch>.<number>.<dropped|archived|discarded|unarchived>[-perhaps]   a loss; archived in expired/, else a tombstone
/// ```
struct SealedName: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case object, envelope, uncertain, delivered
        case loss(LossName)
    }

    var first: Position
    var kind: Kind

    init(_ first: Position, _ kind: Kind) {
        self.first = first
        self.kind = kind
    }

    init?(_ name: String) {
        let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let stem = parts.first, let last = parts.last, parts.count <= 3,
            let first = Self.position(stem)
        else { return nil }
        self.first = first
        let ending = String(Substring(last))
        if parts.count == 3 {
            guard let loss = LossName(number: Substring(parts[1]), ending: ending) else {
                return nil
            }
            kind = .loss(loss)
            return
        }
        switch ending {
        case "object": kind = .object
        case "envelope": kind = .envelope
        case "uncertain": kind = .uncertain
        case "delivered": kind = .delivered
        default: return nil
        }
    }

    /// `<16 digits>-<12 or more digits>`, hexadecimal.
    private static func position(_ stem: Substring.UTF8View) -> Position? {
        var numbers: (UInt64, UInt64) = (0, 0)
        var count = 0
        for byte in stem {
            if count == 16 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                let digit: UInt8
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
                default: return nil
                }
                if count < 16 {
                    numbers.0 = numbers.0 << 4 | UInt64(digit)
                } else {
                    numbers.1 = numbers.1 << 4 | UInt64(digit)
                }
            }
            count += 1
        }
        guard (29...33).contains(count) else { return nil }
        return Position(file: numbers.0, offset: numbers.1)
    }
}

/// What the name of a lost or archived batch's envelope says besides the batch.
struct LossName: Sendable, Hashable {
    /// Each loss has its own; `totals` says up to which they are counted.
    var number: UInt64
    var kind: Loss.Kind
    var perhapsDelivered: Bool

    private static let perhaps = "-perhaps"

    init(number: UInt64, kind: Loss.Kind, perhapsDelivered: Bool) {
        self.number = number
        self.kind = kind
        self.perhapsDelivered = perhapsDelivered
    }

    init?(number: Substring, ending: String) {
        let perhapsDelivered = ending.hasSuffix(Self.perhaps)
        let word = perhapsDelivered ? String(ending.dropLast(Self.perhaps.utf8.count)) : ending
        guard let number = UInt64(number), let kind = Loss.Kind(rawValue: word) else { return nil }
        self.init(number: number, kind: kind, perhapsDelivered: perhapsDelivered)
    }

    var text: String {
        "\(number).\(kind.rawValue)\(perhapsDelivered ? Self.perhaps : "")"
    }

    /// An archived batch keeps its envelope beside its object; of any other a tombstone is left in `sealed/`.
    func path(_ batch: BatchID) -> String {
        let directory =
            kind == .archived
            ? SpoolLayout.expired(batch.connector) : SpoolLayout.sealed(batch.connector)
        return "\(directory)/\(batch.name).\(text)"
    }
}
