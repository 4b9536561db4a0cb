import Model

/// Resolves the names in a schema and checks its rules, depth first, as names are defined.
struct SchemaParser {
    /// A default, looked at when all types are known.
    struct Default {
        let value: JSONText
        let type: AvroType
        let path: SchemaPath
    }

    var types: [NamedType] = []
    /// Where each of `types` is defined.
    var paths: [SchemaPath] = []
    var defaults: [Default] = []
    /// By the index of a record, the names of its fields that have a default.
    var optional: [Int: Set<String>] = [:]
    private var indexes: [String: Int] = [:]

    /// The type that a JSON value declares or refers to within a namespace.
    mutating func type(
        _ json: JSONText, in namespace: String, at path: SchemaPath
    ) throws(SchemaFault) -> AvroType {
        switch json {
        case .string(let name): return try reference(name, in: namespace, at: path)
        case .array(let types): return try union(of: types, in: namespace, at: path)
        case .object(let members):
            try checkMembers(members, at: path)
            return try declared(json, in: namespace, at: path)
        default:
            throw path.fault("a type is a name, an object with \"type\", or an array of types")
        }
    }

    private mutating func declared(
        _ json: JSONText, in namespace: String, at path: SchemaPath
    ) throws(SchemaFault) -> AvroType {
        guard let type = json["type"] else { throw path.fault("\"type\" is missing") }
        guard let name = type.string else {
            throw path.part("type").fault(
                "of an object it is a string; write the inner type itself in place of the object")
        }
        switch name {
        case "record": return try record(json, in: namespace, at: path)
        case "enum": return try enumeration(json, in: namespace, at: path)
        case "fixed": return try fixed(json, in: namespace, at: path)
        case "array":
            return .array(of: try inner(json, "items", in: namespace, at: path))
        case "map":
            return .map(of: try inner(json, "values", in: namespace, at: path))
        case "error":
            throw path.part("type").fault("\"error\" is for protocols only; write \"record\"")
        default:
            if let primitive = SchemaName.primitives[name] { return primitive }
            // Not every reader resolves a name that stands in an object.
            guard indexes[SchemaName.full(name, in: namespace)] == nil else {
                throw path.part("type").fault(
                    "a type that is defined elsewhere is referred to by its name alone: write "
                        + "\(JSONText.quoted(name)) in place of the object")
            }
            throw path.part("type").fault(
                "\(JSONText.quoted(name)) is no type; it is \"record\", \"enum\", \"array\", \"map\", "
                    + "\"fixed\" or the name of a primitive type")
        }
    }

    private mutating func inner(
        _ json: JSONText, _ attribute: String, in namespace: String, at path: SchemaPath
    ) throws(SchemaFault) -> AvroType {
        guard let inner = json[attribute] else { throw path.fault("\"\(attribute)\" is missing") }
        return try type(inner, in: namespace, at: path.part(attribute))
    }

    private func reference(
        _ name: String, in namespace: String, at path: SchemaPath
    ) throws(SchemaFault) -> AvroType {
        if let primitive = SchemaName.primitives[name] { return primitive }
        let full = SchemaName.full(name, in: namespace)
        if let index = indexes[full] { return .named(index) }
        if SchemaName.complex.contains(name) {
            throw path.fault(
                "\"\(name)\" needs its attributes in an object of its own: {\"type\": \"\(name)\", …}"
            )
        }
        let last = SchemaName.last(of: full)
        if let other = types.first(where: { SchemaName.last(of: $0.fullName) == last }) {
            throw path.fault(
                "\(JSONText.quoted(name)) means \(full) here, which is not defined; \(other.fullName) is"
            )
        }
        throw path.fault(
            "\(JSONText.quoted(name)) is no primitive type, and no type of this name is defined "
                + "before this place")
    }

    private mutating func union(
        of branches: [JSONText], in namespace: String, at path: SchemaPath
    ) throws(SchemaFault) -> AvroType {
        guard !branches.isEmpty else {
            throw path.fault("a union needs at least one type: nothing is a value of this one")
        }
        var union: [AvroType] = []
        for (index, branch) in branches.enumerated() {
            let place = path.element(index)
            if branch.elements != nil {
                throw place.fault("a union stands in no other; write its types into the outer one")
            }
            let type = try type(branch, in: namespace, at: place)
            if let twin = union.firstIndex(where: { $0.isOneBranch(with: type) }) {
                throw place.fault("\(describe(type)) is in the union already, as [\(twin)]")
            }
            union.append(type)
        }
        return .union(union)
    }

    // MARK: Named types

    /// Gives a type its index. What is defined inside it may refer to it from now on.
    mutating func define(
        _ type: NamedType, at path: SchemaPath
    ) throws(SchemaFault) -> Int {
        let name = type.fullName
        if let index = indexes[name] {
            throw path.part("name").fault(
                "\(name) is defined already\(paths[index].text.isEmpty ? "" : ", in \(paths[index].text)"); "
                    + "refer to it by its name, or give this type another")
        }
        indexes[name] = types.count
        types.append(type)
        paths.append(path)
        return types.count - 1
    }

    /// A type in words, as `describe`d to people.
    func describe(_ type: AvroType) -> String {
        switch type {
        case .null: "null"
        case .boolean: "boolean"
        case .int: "int"
        case .long: "long"
        case .float: "float"
        case .double: "double"
        case .bytes: "bytes"
        case .string: "string"
        case .array: "an array"
        case .map: "a map"
        case .union(let types): "a union of " + types.map(describe).joined(separator: ", ")
        case .named(let index): types[index].fullName
        }
    }
}

extension AvroType {
    /// Whether a union may not have both: two of a named type, or of a type that has no name.
    fileprivate func isOneBranch(with other: AvroType) -> Bool {
        switch (self, other) {
        case (.array, .array), (.map, .map): true
        default: self == other
        }
    }
}
