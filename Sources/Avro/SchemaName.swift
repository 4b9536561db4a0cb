/// The rules for names in schemas.
///
/// Source: the Avro specification, "Names".
enum SchemaName {
    static let primitives: [String: AvroType] = [
        "null": .null, "boolean": .boolean, "int": .int, "long": .long, "float": .float,
        "double": .double, "bytes": .bytes, "string": .string,
    ]

    /// Words that stand in `"type"` of an object, and nowhere else.
    static let complex: Set<String> = ["record", "enum", "array", "map", "fixed"]

    static let rule =
        "a name is made of the letters A-Z and a-z, digits and \"_\", with no digit first"

    /// `[A-Za-z_][A-Za-z0-9_]*`
    static func isValid(_ name: some StringProtocol) -> Bool {
        var isFirst = true
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "_"):
                break
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if isFirst { return false }
            default:
                return false
            }
            isFirst = false
        }
        return !isFirst
    }

    /// Names with dots between them.
    static func isDotted(_ name: String) -> Bool {
        name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isValid($0) }
    }

    /// The fullname that a name stands for within a namespace, which is empty for none.
    static func full(_ name: String, in namespace: String) -> String {
        namespace.isEmpty || name.utf8.contains(UInt8(ascii: ".")) ? name : "\(namespace).\(name)"
    }

    /// A fullname without its last part; empty where it has no other.
    static func namespace(of fullName: String) -> String {
        fullName.lastIndex(of: ".").map { String(fullName[..<$0]) } ?? ""
    }

    /// The last part of a fullname.
    static func last(of fullName: String) -> Substring {
        fullName.lastIndex(of: ".").map { fullName[fullName.index(after: $0)...] } ?? fullName[...]
    }
}
