/// Text that is safe to show in a terminal and stays on one line.
///
/// File names, event types and what servers answer come from others. An escape sequence in them could
/// recolour, rewrite or retitle the terminal of the person who reads the journal, and a line break could
/// forge a line. Replaced are the C0 and C1 controls, DEL, the line and paragraph separators, and the
/// marks that turn the direction of text around. The result is for people: a backslash stays as it
/// is, so the original cannot always be told from it.
public enum EscapedText {
    /// `text` with each unsafe character written as `\n`, `\t`, `\r`, `\x1B` or `\u{202E}`.
    public static func of(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var safe = ""
        for scalar in text.unicodeScalars { append(scalar, to: &safe) }
        return safe
    }

    /// The same for bytes, such as a file name; what is no UTF-8 shows as U+FFFD.
    public static func of(bytes: some Sequence<UInt8>) -> String {
        var safe = ""
        var input = bytes.makeIterator()
        var parser = Unicode.UTF8.ForwardParser()
        while true {
            switch parser.parseScalar(from: &input) {
            case .valid(let encoded): append(Unicode.UTF8.decode(encoded), to: &safe)
            case .error: safe.unicodeScalars.append("\u{FFFD}")
            case .emptyInput: return safe
            }
        }
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to safe: inout String) {
        guard isUnsafe(scalar) else { return safe.unicodeScalars.append(scalar) }
        switch scalar {
        case "\n": safe += "\\n"
        case "\t": safe += "\\t"
        case "\r": safe += "\\r"
        default:
            let digits = String(scalar.value, radix: 16, uppercase: true)
            let padded = digits.utf8.count < 2 ? "0" + digits : digits
            safe += scalar.value < 0x80 ? "\\x\(padded)" : "\\u{\(padded)}"
        }
    }
}
