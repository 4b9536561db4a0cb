import Support

/// Makes lines that are events, and lines that nearly are.
struct JSONGenerator {
    private var random: SeededGenerator
    private var text: [UInt8] = []

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    /// A valid event.
    mutating func event() -> [UInt8] {
        text = []
        space()
        object(depth: 0)
        space()
        return text
    }

    /// An event with one to three faults, some of which do not matter.
    mutating func mutated() -> [UInt8] {
        var text = event()
        for _ in 0..<number(1...3) where !text.isEmpty {
            let at = number(0...text.count - 1)
            switch number(0...5) {
            case 0: text[at] ^= 1 << UInt8(number(0...7))
            case 1: text[at] = UInt8(number(0...255))
            case 2: text.removeSubrange(at..<min(text.count, at + number(1...6)))
            case 3: text.insert(contentsOf: pick(Self.insertions), at: at)
            case 4: text.insert(UInt8(number(0...255)), at: at)
            default: text.removeSubrange(at...)
            }
        }
        // A newline would end the line.
        return text.filter { $0 != UInt8(ascii: "\n") }
    }

    private static let insertions: [[UInt8]] =
        [
            "\"", "\\", "\\u", "\\ud800", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "null",
            "NaN", "Infinity", "\"event_type\":\"x\",", "\"connector\":", "\u{feff}", "\u{0}", "é",
        ].map { Array($0.utf8) } + [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90], [0xff]]

    // MARK: Values

    private mutating func object(depth: Int) {
        text.append(UInt8(ascii: "{"))
        space()
        let count = number(0...(depth == 0 ? 6 : 3))
        for index in 0..<count {
            if index > 0 { separator() }
            name(depth: depth)
            space()
            text.append(UInt8(ascii: ":"))
            space()
            value(depth: depth + 1)
            space()
        }
        text.append(UInt8(ascii: "}"))
    }

    private mutating func array(depth: Int) {
        text.append(UInt8(ascii: "["))
        space()
        for index in 0..<number(0...3) {
            if index > 0 { separator() }
            value(depth: depth + 1)
            space()
        }
        text.append(UInt8(ascii: "]"))
    }

    private mutating func value(depth: Int) {
        switch number(0...(depth < 7 ? 9 : 6)) {
        case 0: text += Array(pick(["true", "false", "null"]).utf8)
        case 1: numeral()
        case 7: array(depth: depth)
        case 8, 9: object(depth: depth)
        default: string()
        }
    }

    private mutating func name(depth: Int) {
        switch number(0...(depth == 0 ? 3 : 7)) {
        case 0:
            text += Array(
                pick(["\"event_type\"", "\"\\u0065vent_type\"", "\"event\\u005Ftype\""]).utf8)
        case 1: text += Array(pick(["\"connector\"", "\"connec\\u0074or\""]).utf8)
        default: string()
        }
    }

    private mutating func numeral() {
        var numeral = pick(["", "-"]) + pick(["0", "7", "10", "123456789012345678901234567890"])
        if number(0...2) == 0 { numeral += "." + pick(["0", "5", "0625", "999999999999999999"]) }
        if number(0...2) == 0 {
            numeral += pick(["e", "E"]) + pick(["", "+", "-"]) + pick(["0", "007", "400"])
        }
        text += Array(numeral.utf8)
    }

    private mutating func string() {
        text.append(UInt8(ascii: "\""))
        for _ in 0..<number(0...number(0...12)) {
            switch number(0...9) {
            case 0: text += Array(pick(Self.escapes).utf8)
            case 1: text += Array(UTF8.encode(scalar()).map { Array($0) } ?? [])
            case 2:
                text += Array(pick(["event_type", "connector", "{", "}", "[", "]", ",", ":"]).utf8)
            default: text += Array(pick(["a", "Zz", " ", "_", "0123456789abcdef", "/", "~"]).utf8)
            }
        }
        text.append(UInt8(ascii: "\""))
    }

    private static let escapes = [
        "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\u0041", "\\uFFFF",
        "\\ud83d\\ude80", "\\uD834\\uDD1E", "\\ud800", "\\udfff", "\\u00e9",
    ]

    private mutating func scalar() -> Unicode.Scalar {
        let ranges: [ClosedRange<Int>] = [
            0x7f...0x7ff, 0x800...0xd7ff, 0xe000...0xffff, 0x10000...0x10ffff,
        ]
        return Unicode.Scalar(UInt32(number(pick(ranges)))) ?? "?"
    }

    private mutating func separator() {
        text.append(UInt8(ascii: ","))
        space()
    }

    private mutating func space() {
        if number(0...3) == 0 { text += Array(pick([" ", "\t", "\r", "  ", " \r\t "]).utf8) }
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    private mutating func pick<Choice>(_ choices: [Choice]) -> Choice {
        choices[number(0...choices.count - 1)]
    }
}
