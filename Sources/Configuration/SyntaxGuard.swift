/// Refuses those mistakes in a document at which the TOML library would end the process.
///
/// toml++ 3.4 has assertions that four mistakes reach, and release builds keep them: a table header that
/// begins with what begins no key (`[.a]`), a `}` where a list's element belongs (`[1, }`), no digit after
/// the T of a date (`2026-11-22T:00`), and a single one after its blank (`2026-11-22 1`). A typing error must not take the daemon down at a reload, so
/// they are found here first, together with characters that TOML allows nowhere but in strings and
/// comments. So is nesting that nobody means: the library builds, and we read, each level on a stack. Everything
/// else is left to the library: up to the first mistake the two agree on what is a string or a comment, and
/// after it nothing matters.
struct SyntaxGuard {
    private let text: [UInt8]
    private var index = 0
    private var line = 1
    private var lineStart = 0
    /// Open brackets and braces of values; a `[` at the start of a line is a header only outside of them.
    private var depth = 0
    /// The dots of a key, which make a table each.
    private var dots = 0
    /// The last byte that is neither blank nor in a comment; a quote stands for its string.
    private var previous = UInt8(ascii: "\n")

    /// Brackets inside of each other, and dots in a key; ours have two of either.
    private static let deepest = 16

    private init(_ text: [UInt8]) {
        self.text = text
    }

    static func check(_ text: String) throws(Document.SyntaxError) {
        var guarding = SyntaxGuard(Array(text.utf8))
        try guarding.run()
    }

    private mutating func run() throws(Document.SyntaxError) {
        var isLineStart = true
        if text.starts(with: "\u{FEFF}".utf8) { index = 3 }
        while let byte = byte(at: index) {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"):
                index += 1
                continue
            case UInt8(ascii: "\r") where self.byte(at: index + 1) == UInt8(ascii: "\n"):
                index += 1
                continue
            case 0..<0x20 where byte != UInt8(ascii: "\n"), 0x7F...:
                throw mistake("expected a plain character; others stand in quotes")
            case UInt8(ascii: "\n"):
                index += 1
                (line, lineStart, isLineStart) = (line + 1, index, true)
                dots = 0
                continue
            case UInt8(ascii: "#"):
                while let next = self.byte(at: index), next != UInt8(ascii: "\n") { index += 1 }
                continue
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                skipString(byte)
            case UInt8(ascii: "[") where isLineStart && depth == 0:
                try checkHeader()
            default:
                try check(byte)
            }
            previous = byte
            isLineStart = false
        }
    }

    private mutating func check(_ byte: UInt8) throws(Document.SyntaxError) {
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            depth += 1
            dots = 0
            guard depth <= Self.deepest else {
                throw mistake("expected no more than \(Self.deepest) brackets inside of each other")
            }
        case UInt8(ascii: "="), UInt8(ascii: ","):
            dots = 0
        case UInt8(ascii: "."):
            dots += 1
            guard dots <= Self.deepest else {
                throw mistake("expected a key with no more than \(Self.deepest) dots")
            }
        case UInt8(ascii: "]"):
            depth = max(0, depth - 1)
        case UInt8(ascii: "}"):
            if previous == UInt8(ascii: "[") || previous == UInt8(ascii: ",") {
                throw mistake("expected a value or a closing bracket, saw '}'")
            }
            depth = max(0, depth - 1)
        case UInt8(ascii: "T"), UInt8(ascii: "t"):
            if let next = self.byte(at: index + 1), followsDate, !Self.isDigit(next) {
                index += 1
                throw mistake("expected a time after the date")
            }
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            if let digit = digitBehindDate {
                index = digit
                throw mistake("expected a time after the date")
            }
        default:
            break
        }
        index += 1
    }

    /// Steps over the brackets that open a header; what follows must begin a key, or end the header.
    private mutating func checkHeader() throws(Document.SyntaxError) {
        index += 1
        skipBlanks()
        if byte(at: index) == UInt8(ascii: "[") {
            index += 1
            skipBlanks()
        }
        guard let byte = byte(at: index) else { return }
        let marks: [UInt8] = ["_", "-", "\"", "'", "]"].map { UInt8(ascii: $0) }
        guard isLetterOrDigit(byte) || marks.contains(byte) else {
            throw mistake("expected the name of a table")
        }
    }

    private mutating func skipBlanks() {
        while let byte = byte(at: index), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
            index += 1
        }
    }

    /// Steps over a string with one or three quotes at each end, or to the end of its line or text.
    private mutating func skipString(_ quote: UInt8) {
        let isMultiline = byte(at: index + 1) == quote && byte(at: index + 2) == quote
        index += isMultiline ? 3 : 1
        while let byte = byte(at: index) {
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                index += 2
                countLine(endedAt: index - 1)
                continue
            }
            if byte == quote {
                guard isMultiline else {
                    index += 1
                    return
                }
                var run = 0
                while self.byte(at: index + run) == quote { run += 1 }
                // Up to two quotes may stand before the three that end the string.
                index += min(run, 5)
                if run >= 3 { return }
                continue
            }
            if byte == UInt8(ascii: "\n"), !isMultiline { return }
            index += 1
            countLine(endedAt: index - 1)
        }
    }

    private mutating func countLine(endedAt end: Int) {
        if byte(at: end) == UInt8(ascii: "\n") { (line, lineStart) = (line + 1, end + 1) }
    }

    /// True behind `dd-dd`, the end of a date.
    private var followsDate: Bool {
        guard index >= 5, text[index - 3] == UInt8(ascii: "-") else { return false }
        return [5, 4, 2, 1].allSatisfy { Self.isDigit(text[index - $0]) }
    }

    /// Where one digit stands alone, a blank behind a word that begins here and has the hyphens of a date.
    ///
    /// The library looks as far ahead before it minds what the word is made of: quotes are no strings here, and
    /// underscores do not count.
    private var digitBehindDate: Int? {
        var (end, count, hyphens) = (index, 0, 0)
        while let byte = byte(at: end), !Self.endsWord(byte), count <= 10 {
            end += 1
            // Of a character of several bytes the first one counts.
            guard byte != UInt8(ascii: "_"), byte & 0xC0 != 0x80 else { continue }
            if count == 4 || count == 7, byte == UInt8(ascii: "-") { hyphens += 1 }
            count += 1
        }
        guard count == 10, hyphens == 2, byte(at: end) == UInt8(ascii: " "),
            let digit = byte(at: end + 1), Self.isDigit(digit), let next = byte(at: end + 2),
            Self.endsWord(next) || next >= 0x80
        else { return nil }
        return end + 1
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        byte == 0x20 || (9...13).contains(byte) || "]},#".utf8.contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private func byte(at index: Int) -> UInt8? {
        index < text.count ? text[index] : nil
    }

    private func mistake(_ what: String) -> Document.SyntaxError {
        let before = String(decoding: text[lineStart..<index], as: UTF8.self)
        return Document.SyntaxError(
            line: line, column: before.unicodeScalars.count + 1, text: "syntax error: " + what)
    }
}
