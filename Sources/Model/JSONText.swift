/// A JSON text (RFC 8259) on one line, its members in the order in which they were given.
public indirect enum JSONText: Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    /// One that is no `Int`, as it is written.
    case number(String)
    case string(String)
    case array([JSONText])
    case object([(String, JSONText)])

    public static func string(_ string: String?) -> JSONText {
        string.map { .string($0) } ?? .null
    }

    public var text: String {
        switch self {
        case .null: "null"
        case .boolean(let boolean): boolean ? "true" : "false"
        case .integer(let integer): String(integer)
        case .number(let digits): digits
        case .string(let string): Self.quoted(string)
        case .array(let elements): "[" + elements.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.map { Self.quoted($0.0) + ":" + $0.1.text }.joined(separator: ",")
                + "}"
        }
    }

    // MARK: Looking into one; what is not there, or of another kind, is nil.

    public subscript(name: String) -> JSONText? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.0 == name }?.1
    }

    public var integer: Int? {
        if case .integer(let integer) = self { integer } else { nil }
    }

    public var string: String? {
        if case .string(let string) = self { string } else { nil }
    }

    public var elements: [JSONText]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    public static func quoted(_ string: String) -> String {
        // Nearly all are; and a status of hundreds of connectors has very many.
        let isPlain = string.utf8.allSatisfy {
            (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isPlain { return "\"" + string + "\"" }
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\" + String(scalar)
            case "\n": text += "\\n"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
