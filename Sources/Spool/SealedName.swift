import Model

/// The name of a file that belongs to a batch, in `sealed/<connector>/` or `expired/<connector>/`.
///
/// ```
/// <batch>.object  <batch>.envelope  <batch>.uncertain  <batch>.upload
/// <batch>.delivered                                     a tombstone
/// <batch>.<Unix seconds>.stored                         likewise; the object is to be deleted then, see StoredExport
/// <batch>.<number>.<dropped|archived|discarded|unarchived>[-perhaps]   a loss; archived in expired/, else a tombstone
/// ```
struct SealedName: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case object, envelope, uncertain, upload, delivered
        case stored(removal: Timestamp)
        case loss(LossName)
    }

    var first: Position
    var kind: Kind

    init(_ first: Position, _ kind: Kind) {
        self.first = first
        self.kind = kind
    }

    init?(_ name: String) {
        var name = name
        guard let (first, length) = name.withUTF8({ Self.position($0) }) else { return nil }
        self.first = first
        let ending = name.utf8.dropFirst(length)
        switch ending.count {
        case 7 where ending.elementsEqual(".object".utf8): kind = .object
        case 7 where ending.elementsEqual(".upload".utf8): kind = .upload
        case 9 where ending.elementsEqual(".envelope".utf8): kind = .envelope
        case 10 where ending.elementsEqual(".uncertain".utf8): kind = .uncertain
        case 10 where ending.elementsEqual(".delivered".utf8): kind = .delivered
        default:
            let parts = ending.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            if parts.count == 3, parts[2].elementsEqual("stored".utf8) {
                let text = String(Substring(parts[1]))
                guard let time = Int64(text), time >= 0, String(time) == text else { return nil }
                kind = .stored(removal: Timestamp(unixSeconds: time))
                return
            }
            guard parts.count == 3,
                let loss = LossName(
                    number: Substring(parts[1]), ending: String(Substring(parts[2])))
            else { return nil }
            kind = .loss(loss)
        }
    }

    /// `<16 digits>-<12 to 16 digits>`, hexadecimal, before a dot; and how many bytes that is.
    private static func position(
        _ name: UnsafeBufferPointer<UInt8>
    ) -> (Position, length: Int)? {
        var numbers: (UInt64, UInt64) = (0, 0)
        var length = 0
        while length < name.count, name[length] != UInt8(ascii: ".") {
            let byte = name[length]
            if length == 16 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                let digit: UInt8
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
                default: return nil
                }
                if length < 16 {
                    numbers.0 = numbers.0 << 4 | UInt64(digit)
                } else {
                    numbers.1 = numbers.1 << 4 | UInt64(digit)
                }
            }
            length += 1
        }
        guard (29...33).contains(length) else { return nil }
        return (Position(file: numbers.0, offset: numbers.1), length)
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
