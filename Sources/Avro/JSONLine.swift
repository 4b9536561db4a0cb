/// JSON on one line, written as bytes.
///
/// Control characters are escaped, those of C1 too, so that a line does no harm on a terminal.
enum JSONLine {
    private static let quote = UInt8(ascii: "\"")

    /// Writes a string; false, with part of it written, where the bytes are no UTF-8.
    static func append(text: some Collection<UInt8>, to line: inout [UInt8]) -> Bool {
        guard let text = String(validating: text, as: UTF8.self) else { return false }
        append(text, to: &line)
        return true
    }

    static func append(_ text: String, to line: inout [UInt8]) {
        line.append(quote)
        var wasC2 = false
        for byte in text.utf8 {
            // U+0080 to U+009F are C2 and the number itself.
            if wasC2 {
                wasC2 = false
                if byte < 0xA0 {
                    line.removeLast()
                    appendEscape(byte, to: &line)
                    continue
                }
            }
            wasC2 = byte == 0xC2
            append(byte, to: &line)
        }
        line.append(quote)
    }

    /// Writes bytes as Avro's JSON does: a string of as many characters, U+0000 to U+00FF.
    static func append(bytes: some Sequence<UInt8>, to line: inout [UInt8]) {
        line.append(quote)
        for byte in bytes {
            if byte < 0x80 { append(byte, to: &line) } else { appendEscape(byte, to: &line) }
        }
        line.append(quote)
    }

    /// Writes one byte of a string's UTF-8.
    private static func append(_ byte: UInt8, to line: inout [UInt8]) {
        switch byte {
        case quote, UInt8(ascii: "\\"):
            line.append(UInt8(ascii: "\\"))
            line.append(byte)
        case UInt8(ascii: "\n"): line += "\\n".utf8
        case 0x00..<0x20, 0x7F: appendEscape(byte, to: &line)
        default: line.append(byte)
        }
    }

    private static func appendEscape(_ byte: UInt8, to line: inout [UInt8]) {
        line += "\\u00".utf8
        for digit in [byte >> 4, byte & 15] {
            line.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
