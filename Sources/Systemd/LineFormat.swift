internal import Glibc

/// How an entry looks on standard error, where that is not the journal.
enum LineFormat: Sendable {
    /// `2026-11-22T17:53:00Z warning connector orders: …`
    case text(colour: Bool)
    /// One JSON object with the journal's own names and, as there, strings for values.
    case json

    /// The line with its line feed.
    func line(_ entry: JournalEntry, at seconds: Int, identifier: String) -> [UInt8] {
        switch self {
        case .text(let colour):
            let level = colour ? coloured(entry.priority) : entry.priority.name
            return Array("\(utc(seconds)) \(level) \(entry.message)\n".utf8)
        case .json:
            var line = Array(#"{"time":""#.utf8)
            line += utc(seconds).utf8
            line += #"","PRIORITY":"\#(entry.priority.rawValue)""#.utf8
            line += #","SYSLOG_IDENTIFIER":"#.utf8
            LineFormat.appendJSON(identifier.utf8, to: &line)
            line += #","MESSAGE_ID":"\#(entry.kind.id)","MESSAGE":"#.utf8
            LineFormat.appendJSON(entry.message.utf8, to: &line)
            for field in entry.fields {
                line += #","\#(field.name.rawValue)":"#.utf8
                LineFormat.appendJSON(field.value, to: &line)
            }
            line += "}\n".utf8
            return line
        }
    }

    private func coloured(_ priority: Priority) -> String {
        switch priority {
        case .critical, .error: "\u{1B}[1;31m\(priority.name)\u{1B}[0m"
        case .warning: "\u{1B}[1;33m\(priority.name)\u{1B}[0m"
        case .notice: "\u{1B}[1m\(priority.name)\u{1B}[0m"
        case .info, .debug: priority.name
        }
    }

    /// ISO 8601 to the second.
    private func utc(_ seconds: Int) -> String {
        var time = time_t(seconds)
        var parts = tm()
        var text = [CChar](repeating: 0, count: 32)
        // gmtime_r fails only for years that no 32 bits hold; the line then shows the number itself.
        guard gmtime_r(&time, &parts) != nil else { return String(seconds) }
        let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// A JSON string; what is no UTF-8 becomes U+FFFD, since JSON has no bytes.
    private static func appendJSON(_ bytes: some Sequence<UInt8>, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        for byte in String(decoding: Array(bytes), as: UTF8.self).utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): line += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): line += "\\n".utf8
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                line += "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".utf8
            default: line.append(byte)
            }
        }
        line.append(UInt8(ascii: "\""))
    }
}
