import TOMLKit

/// A TOML document as plain values: the only place that knows the TOML library.
///
/// The library gives positions for syntax errors only, never frees a parsed document (a few
/// kilobytes for each load), ends strings at a NUL character, and ends the process at some mistakes;
/// so what it must not see is refused here before it is asked.
enum Document {
    indirect enum Value: Equatable {
        case string(String)
        case integer(Int)
        case float(Double)
        case boolean(Bool)
        case dateOrTime
        case array([Value])
        case table([String: Value])
    }

    struct SyntaxError: Error, Equatable {
        var line: Int
        var column: Int
        var text: String
    }

    static func parse(_ bytes: [UInt8]) throws(SyntaxError) -> [String: Value] {
        let text = try decode(bytes)
        try SyntaxGuard.check(text)
        do {
            return table(try TOMLTable(string: text))
        } catch let error as TOMLParseError {
            let start = error.source.begin
            // It repeats what it saw as it is, line ends too.
            var text = onOneLine(error.description)
            if text.hasPrefix("Error while") { text = "syntax error" + text.dropFirst(5) }
            throw SyntaxError(line: start.line, column: start.column, text: text)
        } catch {
            // The library's initializer has no other error; its signature only does not say so.
            preconditionFailure("TOMLTable(string:) threw \(error)")
        }
    }

    /// The text, checked for what the library would misread: bytes that are no UTF-8, and NUL.
    private static func decode(_ bytes: [UInt8]) throws(SyntaxError) -> String {
        var (text, line, column) = ("", 1, 1)
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        scan: while true {
            switch decoder.decode(&iterator) {
            case .emptyInput:
                break scan
            case .error:
                throw SyntaxError(line: line, column: column, text: "these bytes are not UTF-8")
            case .scalarValue("\0"):
                throw SyntaxError(line: line, column: column, text: nulText)
            case .scalarValue(let scalar):
                text.unicodeScalars.append(scalar)
                column += 1
                if scalar == "\n" { (line, column) = (line + 1, 1) }
                if scalar == "0", text.hasSuffix("\\u0000") || text.hasSuffix("\\U00000000") {
                    throw SyntaxError(line: line, column: column - 1, text: nulText)
                }
            }
        }
        return text
    }

    private static let nulText = "a NUL character has no place in a configuration"

    private static func table(_ table: TOMLTable) -> [String: Value] {
        var values: [String: Value] = [:]
        for (key, node) in table {
            values[key] = value(node)
        }
        return values
    }

    private static func value(_ node: any TOMLValueConvertible) -> Value {
        if let string = node.string { return .string(string) }
        if let integer = node.int { return .integer(integer) }
        if let boolean = node.bool { return .boolean(boolean) }
        if let inner = node.table { return .table(table(inner)) }
        if let array = node.array { return .array(array.map(value)) }
        if let float = node.double { return .float(float) }
        return .dateOrTime
    }
}

extension Document.Value {
    /// What the value is, as a noun with its article.
    var noun: String {
        switch self {
        case .string: "a string"
        case .integer: "a whole number"
        case .float: "a fraction"
        case .boolean: "true or false"
        case .dateOrTime: "a date or time"
        case .array: "a list"
        case .table: "a table"
        }
    }
}
