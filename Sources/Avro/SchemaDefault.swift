import Model

/// Defaults. Nothing is written with them, but a reader with a newer schema fills in what is missing.
extension SchemaParser {
    func checkDefaults() throws(SchemaFault) {
        for item in defaults where !isDefault(item.value, of: item.type) {
            throw item.path.fault("this is no value of the field's type: \(rule(item.type))")
        }
    }

    /// The specification's table "field default values".
    ///
    /// Of a union, any branch may have it: 1.12 asks no longer for the first.
    private func isDefault(_ value: JSONText, of type: AvroType) -> Bool {
        switch (type, value) {
        case (.null, .null), (.boolean, .boolean), (.long, .integer), (.string, .string),
            (.float, .integer), (.float, .number), (.double, .integer), (.double, .number):
            true
        case (.int, .integer(let integer)): Int32(exactly: integer) != nil
        case (.bytes, .string(let string)): Self.count(ofBytesIn: string) != nil
        case (.array(let items), .array(let elements)):
            elements.allSatisfy { isDefault($0, of: items) }
        case (.map(let values), .object(let members)):
            members.allSatisfy { isDefault($0.1, of: values) }
        case (.union(let types), _): types.contains { isDefault(value, of: $0) }
        case (.named(let index), _): isDefault(value, ofNamed: index)
        default: false
        }
    }

    private func isDefault(_ value: JSONText, ofNamed index: Int) -> Bool {
        switch (types[index], value) {
        case (.enumeration(let enumeration), .string(let symbol)):
            enumeration.symbols.contains(symbol)
        case (.fixed(let fixed), .string(let string)):
            Self.count(ofBytesIn: string) == fixed.size
        case (.record(let record), .object):
            record.fields.allSatisfy { field in
                value[field.name].map { isDefault($0, of: field.type) }
                    ?? (optional[index]?.contains(field.name) == true)
            }
        default: false
        }
    }

    /// Bytes stand in a string, one a character; nil where one is beyond U+00FF.
    private static func count(ofBytesIn string: String) -> Int? {
        let scalars = string.unicodeScalars
        return scalars.allSatisfy { $0.value <= 0xFF } ? scalars.count : nil
    }

    private func rule(_ type: AvroType) -> String {
        switch type {
        case .null: "null"
        case .boolean: "true or false"
        case .int: "an integer of 32 bits"
        case .long: "an integer of 64 bits"
        case .float, .double: "a number"
        case .bytes: "a string of characters up to U+00FF, one a byte"
        case .string: "a string"
        case .array(let items): "an array, each element \(rule(items))"
        case .map(let values): "an object, each value \(rule(values))"
        case .union(let types): types.map(rule).joined(separator: "; or ")
        case .named(let index):
            switch types[index] {
            case .record(let record):
                "an object with the fields of \(record.fullName) that have no default of their own"
            case .enumeration(let enumeration): "a symbol of \(enumeration.fullName)"
            case .fixed(let fixed):
                "a string of \(fixed.size) characters up to U+00FF, one a byte"
            }
        }
    }
}
