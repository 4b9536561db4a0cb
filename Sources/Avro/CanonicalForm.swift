/// "Transforming into Parsing Canonical Form": what of a schema decides how its values are read.
///
/// Two schemas with one form read the same bytes alike. What the specification strips never comes here, and every
/// name in it is ASCII, so nothing is left to escape.
struct CanonicalForm {
    private let types: [NamedType]
    private var defined: Set<Int> = []
    private var text = ""

    /// The form of the schema whose root is the first of these types.
    static func text(of types: [NamedType]) -> String {
        var form = CanonicalForm(types: types)
        form.add(.named(0))
        return form.text
    }

    private init(types: [NamedType]) {
        self.types = types
    }

    private mutating func add(_ type: AvroType) {
        switch type {
        case .null: text += #""null""#
        case .boolean: text += #""boolean""#
        case .int: text += #""int""#
        case .long: text += #""long""#
        case .float: text += #""float""#
        case .double: text += #""double""#
        case .bytes: text += #""bytes""#
        case .string: text += #""string""#
        case .array(let items):
            text += #"{"type":"array","items":"#
            add(items)
            text += "}"
        case .map(let values):
            text += #"{"type":"map","values":"#
            add(values)
            text += "}"
        case .union(let types):
            text += "["
            for (index, type) in types.enumerated() {
                if index > 0 { text += "," }
                add(type)
            }
            text += "]"
        case .named(let index):
            // Defined where it comes first, as in the schema itself; its name stands for it from then on.
            if defined.insert(index).inserted {
                define(types[index])
            } else {
                text += "\"\(types[index].fullName)\""
            }
        }
    }

    private mutating func define(_ type: NamedType) {
        text += "{\"name\":\"\(type.fullName)\",\"type\":"
        switch type {
        case .fixed(let fixed): text += "\"fixed\",\"size\":\(fixed.size)"
        case .enumeration(let enumeration):
            let symbols = enumeration.symbols.map { "\"\($0)\"" }.joined(separator: ",")
            text += "\"enum\",\"symbols\":[\(symbols)]"
        case .record(let record):
            text += "\"record\",\"fields\":["
            for (index, field) in record.fields.enumerated() {
                if index > 0 { text += "," }
                text += "{\"name\":\"\(field.name)\",\"type\":"
                add(field.type)
                text += "}"
            }
            text += "]"
        }
        text += "}"
    }
}
