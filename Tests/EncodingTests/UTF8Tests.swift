import Encoding
import Support
import Testing

/// RFC 3629: the sequences of its table, and no others.
@Suite struct UTF8Tests {
    @Test(
        arguments: [
            [0xc2, 0x80], [0xdf, 0xbf], [0xe0, 0xa0, 0x80], [0xe0, 0xbf, 0xbf], [0xe1, 0x80, 0x80],
            [0xec, 0xbf, 0xbf], [0xed, 0x80, 0x80], [0xed, 0x9f, 0xbf], [0xee, 0x80, 0x80],
            [0xef, 0xbf, 0xbf], [0xf0, 0x90, 0x80, 0x80], [0xf0, 0xbf, 0xbf, 0xbf],
            [0xf1, 0x80, 0x80, 0x80], [0xf3, 0xbf, 0xbf, 0xbf], [0xf4, 0x80, 0x80, 0x80],
            [0xf4, 0x8f, 0xbf, 0xbf],
        ] as [[UInt8]])
    func `The first and the last of each kind are taken`(sequence: [UInt8]) {
        for text in Self.around(sequence) { #expect(Scanned(text).outcome == .event, "\(text)") }
    }

    @Test(
        arguments: [
            [0x80], [0xbf], [0xc0, 0x80], [0xc0, 0xaf], [0xc1, 0xbf], [0xc2], [0xc2, 0x22],
            [0xc2, 0x7f],
            [0xc2, 0xc0], [0xdf, 0x20], [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xe1, 0x7f, 0x80],
            [0xe1, 0x80], [0xe1, 0x80, 0x22], [0xe1, 0x80, 0xc0], [0xe1, 0xc0, 0x80],
            [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xed, 0xaf, 0xbf], [0xf0, 0x80, 0x80, 0x80],
            [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x90, 0x80], [0xf0, 0x90, 0x80, 0x22],
            [0xf0, 0x90, 0x22],
            [0xf1, 0x80, 0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf4, 0xbf, 0xbf, 0xbf],
            [0xf5, 0x80, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfe], [0xff], [0xff, 0xfe],
        ] as [[UInt8]])
    func `Overlong, surrogate, too large or cut: the first byte is named`(sequence: [UInt8]) {
        for text in Self.around(sequence) {
            let column = text.firstIndex { $0 >= 0x80 }.map { $0 + 1 } ?? 0
            #expect(Scanned(text).outcome == .refused(.invalidUTF8(column: column)), "\(text)")
        }
        // Cut by the end of the line.
        let cut = Array("{\"a\":\"".utf8) + sequence.prefix { $0 >= 0x80 }.prefix(1)
        #expect(Scanned(cut).outcome == .refused(.invalidUTF8(column: 7)))
    }

    @Test func `Scalar values of every plane are taken, as Swift encodes them`() {
        let memory = GuardedText(capacity: 64)
        let head = Array("{\"a\":\"".utf8)
        let tail = Array("\"}".utf8)
        for first in stride(from: UInt32(0x80), to: 0x110000, by: 97) {
            guard let scalar = Unicode.Scalar(first) else { continue }
            let line = Scanned(
                head + Array(UTF8.encode(scalar).map { Array($0) } ?? []) + tail, in: memory)
            if line.outcome != .event {
                Issue.record("U+\(String(first, radix: 16)): \(line.outcome)")
            }
        }
    }

    @Test(arguments: [[0xc3, 0xa4], [0xff]] as [[UInt8]])
    func `Outside a string even valid UTF-8 is no JSON`(sequence: [UInt8]) {
        let text = Array("{\"a\":".utf8) + sequence + Array("}".utf8)
        #expect(Scanned(text).outcome == .refused(.invalidJSON(column: 6)))
    }

    /// The sequence in a value and in a name, with so many bytes before it that it falls on every place in a word.
    private static func around(_ sequence: [UInt8]) -> [[UInt8]] {
        (0..<9).flatMap { count -> [[UInt8]] in
            let filler = [UInt8](repeating: UInt8(ascii: "x"), count: count)
            return [
                Array("{\"a\":\"".utf8) + filler + sequence + Array("\"}".utf8),
                Array("{\"".utf8) + filler + sequence + filler + Array("\":1}".utf8),
            ]
        }
    }
}
