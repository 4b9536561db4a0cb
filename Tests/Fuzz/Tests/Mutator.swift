import Support

/// Makes inputs out of others, from a seed.
struct Mutator {
    private let inputs: [[UInt8]]
    private var random: SeededGenerator

    private static let words =
        [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "null", "true", "e9", "-0",
            ".5", "\n", " ",
            "9223372036854775808", "2147483648", "NaN", "\"string\"", "\"type\":", "\"Tree\"",
        ].map { Array($0.utf8) } + [[0xc0, 0x80], [0xff, 0xff, 0xff, 0xff, 0x0f], [0], [0x80]]

    init(seed: UInt64, _ inputs: [[UInt8]]) {
        self.inputs = inputs
        random = SeededGenerator(seed: seed)
    }

    mutating func next() -> [UInt8] {
        var bytes = pick(inputs)
        for _ in 0..<number(1...4) where !bytes.isEmpty {
            let at = number(0...bytes.count - 1)
            let end = min(bytes.count, at + number(1...12))
            switch number(0...7) {
            case 0: bytes[at] ^= 1 << UInt8(number(0...7))
            case 1: bytes[at] = UInt8(number(0...255))
            case 2: bytes.removeSubrange(at..<end)
            case 3: bytes.insert(contentsOf: pick(Self.words), at: at)
            case 4: bytes.insert(contentsOf: bytes[at..<end], at: number(0...bytes.count))
            case 5: bytes.replaceSubrange(at..<end, with: pick(Self.words))
            case 6:
                let other = pick(inputs)
                if !other.isEmpty { bytes[at...] = other[number(0...other.count - 1)...] }
            default: bytes.removeSubrange(at...)
            }
        }
        return bytes
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    private mutating func pick<Choice>(_ choices: [Choice]) -> Choice {
        choices[number(0...choices.count - 1)]
    }
}
