import Files
import Model

/// The state file `totals`: what was lost since the spool was made, each batch counted once whatever crashes.
///
/// ```
/// counted: 17
/// dropped orders: objects 3, events 45000, bytes 1234567, perhaps-delivered 0
/// ```
///
/// Losses are numbered, and their numbers stand in the names of their tombstones. `counted` is the highest number that
/// is in the sums: a tombstone with a higher one was left by a crash, and is counted at the next start.
struct Totals: Sendable, Equatable {
    private(set) var counted: UInt64 = 0
    private(set) var connectors: [ConnectorName: LossTotals] = [:]

    /// Nothing that was counted is higher, and what is can be counted on from.
    private static let highest = UInt64(Int64.max >> 1)

    private static let fields = ["objects", "events", "bytes", "perhaps-delivered"]

    init() {}

    init(_ files: any FileSystem) throws(SpoolFailure) {
        guard let text = try StateFile.read(SpoolLayout.totals, kind: "totals", files) else {
            return
        }
        self = try StateFile.value(SpoolLayout.totals) { () throws(CheckedText.Fault) in
            try Totals(text)
        }
    }

    init(_ text: CheckedText) throws(CheckedText.Fault) {
        counted = try text.number("counted")
        guard counted <= Self.highest else { throw .damaged("counted is out of range") }
        for line in text.lines where line.key != "counted" {
            let words = line.key.split(separator: " ")
            guard words.count == 2, let kind = Loss.Kind(rawValue: String(words[0])),
                let connector = ConnectorName(words[1]), let sums = Self.sums(line.value)
            else { throw .damaged("\(line.key) is no sum") }
            if sums == LossSums() { continue }
            connectors[connector, default: LossTotals()][kind] = sums
        }
    }

    private static func sums(_ text: String) -> LossSums? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "," })
        guard words.count == 2 * fields.count else { return nil }
        var numbers: [UInt64] = []
        for (index, field) in fields.enumerated() {
            guard words[2 * index] == field, let number = UInt64(words[2 * index + 1]),
                number <= highest
            else { return nil }
            numbers.append(number)
        }
        var sums = LossSums()
        (sums.objects, sums.events) = (numbers[0], numbers[1])
        (sums.bytes, sums.perhapsDelivered) = (numbers[2], numbers[3])
        return sums
    }

    var text: CheckedText {
        var text = CheckedText(kind: "totals")
        text.add("counted", counted)
        for connector in connectors.keys.sorted() {
            for kind in Loss.Kind.allCases {
                guard let sums = connectors[connector]?[kind], sums != LossSums() else { continue }
                let numbers = [sums.objects, sums.events, sums.bytes, sums.perhapsDelivered]
                let value = zip(Self.fields, numbers).map { "\($0) \($1)" }
                text.add("\(kind.rawValue) \(connector)", value.joined(separator: ", "))
            }
        }
        return text
    }

    mutating func count(_ loss: Loss, number: UInt64) {
        connectors[loss.batch.connector, default: LossTotals()][loss.kind].add(loss)
        counted = max(counted, number)
    }
}
