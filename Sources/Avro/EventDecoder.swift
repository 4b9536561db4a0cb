internal import Encoding

/// Writes records in Avro's binary encoding as JSON, one a line.
///
/// Unions stand as the value that they hold, bytes and fixed as a string of the characters U+0000 to U+00FF, logical
/// types as the type beneath them. Every number is exact: ints as they are, floats by the shortest text that reads
/// back as the same float. What JSON has no number for is "NaN", "Infinity" or "-Infinity".
///
/// The data may be anything: nothing is read beyond it, and depth and output are bounded.
///
/// Source: the Apache Avro 1.12 specification, "Binary Encoding" and "JSON Encoding".
public struct EventDecoder: Sendable {
    /// Nested records, arrays and maps: as many as an event may have.
    public static let deepest = JSONScanner.deepest
    /// The most bytes of one record's JSON. Data that takes no bytes, like an array of nulls, could write any number.
    public static let longestLine = 64 << 20

    /// A named type, its names in JSON already.
    private enum Definition {
        case record([Field])
        case enumeration([[UInt8]])
        case fixed(Int)
    }

    private struct Field {
        var name: String
        /// What stands before the value.
        var label: [UInt8]
        var type: AvroType
    }

    private let definitions: [Definition]
    private let longestLine: Int

    public init(_ schema: AvroSchema, longestLine: Int = EventDecoder.longestLine) {
        self.longestLine = longestLine
        definitions = schema.types.map { type in
            switch type {
            case .record(let record):
                let fields = record.fields.enumerated().map { index, field in
                    var label = Array((index == 0 ? "" : ",").utf8)
                    JSONLine.append(field.name, to: &label)
                    return Field(
                        name: field.name, label: label + [UInt8(ascii: ":")], type: field.type)
                }
                return .record(fields)
            case .enumeration(let enumeration):
                return .enumeration(
                    enumeration.symbols.map { symbol in
                        var text: [UInt8] = []
                        JSONLine.append(symbol, to: &text)
                        return text
                    })
            case .fixed(let fixed): return .fixed(fixed.size)
            }
        }
    }

    /// Appends the record that begins at `position` to the text, without a newline.
    ///
    /// - Returns: the position after it.
    public func decode(
        _ data: [UInt8], at position: Int, into text: inout [UInt8]
    ) throws(DecodingFault) -> Int {
        let limit = text.count + longestLine
        var state = State(cursor: DataCursor(data, at: position), limit: limit)
        try append(.named(0), &state, &text, depth: 0)
        return state.cursor.position
    }

    private struct State {
        var cursor: DataCursor
        /// What the text may grow to.
        var limit: Int
    }

    private func append(
        _ type: AvroType, _ state: inout State, _ text: inout [UInt8], depth: Int
    ) throws(DecodingFault) {
        guard text.count <= state.limit else { throw state.cursor.fault(.tooLong) }
        switch type {
        case .null: text += "null".utf8
        case .boolean:
            let start = state.cursor
            switch try state.cursor.byte() {
            case 0: text += "false".utf8
            case 1: text += "true".utf8
            case let byte: throw start.fault(.impossible("a boolean", Int64(byte)))
            }
        case .int:
            let range = Int64(Int32.min)...Int64(Int32.max)
            let number = try state.cursor.number("an int", in: range)
            text += number.description.utf8
        case .long: text += try state.cursor.long().description.utf8
        case .float:
            append(Float(bitPattern: try state.cursor.pattern(UInt32.self)), to: &text)
        case .double:
            append(Double(bitPattern: try state.cursor.pattern(UInt64.self)), to: &text)
        case .bytes: JSONLine.append(bytes: try state.cursor.sized(), to: &text)
        case .string:
            let start = state.cursor
            guard JSONLine.append(text: try state.cursor.sized(), to: &text) else {
                throw start.fault(.noText)
            }
        case .array(let item):
            text.append(UInt8(ascii: "["))
            try appendItems(item, isMap: false, &state, &text, depth: depth + 1)
            text.append(UInt8(ascii: "]"))
        case .map(let value):
            text.append(UInt8(ascii: "{"))
            try appendItems(value, isMap: true, &state, &text, depth: depth + 1)
            text.append(UInt8(ascii: "}"))
        case .union(let branches):
            let branch = try state.cursor.index("a union's branch", below: branches.count)
            try append(branches[branch], &state, &text, depth: depth)
        case .named(let index):
            try append(definitions[index], &state, &text, depth: depth)
        }
    }

    private func append(
        _ definition: Definition, _ state: inout State, _ text: inout [UInt8], depth: Int
    ) throws(DecodingFault) {
        switch definition {
        case .record(let fields):
            guard depth < Self.deepest else { throw state.cursor.fault(.tooDeep) }
            text.append(UInt8(ascii: "{"))
            for field in fields {
                text += field.label
                do {
                    try append(field.type, &state, &text, depth: depth + 1)
                } catch {
                    throw error.within(field.name)
                }
            }
            text.append(UInt8(ascii: "}"))
        case .enumeration(let symbols):
            let index = try state.cursor.index("an enum's index", below: symbols.count)
            text += symbols[index]
        case .fixed(let size): JSONLine.append(bytes: try state.cursor.take(size), to: &text)
        }
    }

    /// Appends the items of an array or a map: blocks of them, the last of which has none.
    private func appendItems(
        _ item: AvroType, isMap: Bool, _ state: inout State, _ text: inout [UInt8], depth: Int
    ) throws(DecodingFault) {
        guard depth <= Self.deepest else { throw state.cursor.fault(.tooDeep) }
        var index = 0
        while true {
            let start = state.cursor
            let count = try state.cursor.number("a count", in: -Int64.max...Int64.max)
            if count == 0 { return }
            // A negative count stands before the size of its items in bytes.
            let size = count < 0 ? try state.cursor.number("a size", in: 0...Int64.max) : nil
            let first = state.cursor.position
            for _ in 0..<count.magnitude {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                do {
                    if isMap {
                        try append(.string, &state, &text, depth: depth)
                        text.append(UInt8(ascii: ":"))
                    }
                    try append(item, &state, &text, depth: depth)
                } catch {
                    throw error.within("\(index)")
                }
                index += 1
            }
            if let size, size != Int64(state.cursor.position - first) {
                throw start.fault(.impossible("a size", size))
            }
        }
    }

    private func append<Number: BinaryFloatingPoint & CustomStringConvertible>(
        _ number: Number, to text: inout [UInt8]
    ) {
        if number.isNaN {
            text += "\"NaN\"".utf8
        } else if number.isInfinite {
            text += (number < 0 ? "\"-Infinity\"" : "\"Infinity\"").utf8
        } else {
            text += number.description.utf8
        }
    }
}
