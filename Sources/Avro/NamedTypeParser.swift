import Model

/// Records, enums and fixed types: what has a name.
extension SchemaParser {
    mutating func record(
        _ json: JSONText, in enclosing: String, at path: SchemaPath
    ) throws(SchemaFault) -> AvroType {
        let name = try fullName(of: json, in: enclosing, at: path)
        try checkDocumentation(json, at: path)
        var record = AvroRecord(fullName: name, fields: [])
        let index = try define(.record(record), at: path)
        guard let fields = json["fields"]?.elements else {
            throw path.fault("a record needs \"fields\", an array of objects")
        }
        let namespace = SchemaName.namespace(of: name)
        var names: Set<String> = []
        for (number, field) in fields.enumerated() {
            let place = path.part("fields").element(number)
            let read = try self.field(field, of: index, in: namespace, at: place)
            guard names.insert(read.name).inserted else {
                throw place.fault("the record has a field \"\(read.name)\" already")
            }
            record.fields.append(read)
        }
        types[index] = .record(record)
        return .named(index)
    }

    private mutating func field(
        _ json: JSONText, of record: Int, in namespace: String, at place: SchemaPath
    ) throws(SchemaFault) -> AvroRecord.Field {
        guard case .object(let members) = json else {
            throw place.fault("a field is an object: {\"name\": …, \"type\": …}")
        }
        try checkMembers(members, at: place)
        guard let name = json["name"]?.string, SchemaName.isValid(name) else {
            throw place.part("name").fault("a field needs a name; \(SchemaName.rule)")
        }
        let path = place.named(name)
        try checkDocumentation(json, at: path)
        if let order = json["order"] {
            guard let order = order.string, ["ascending", "descending", "ignore"].contains(order)
            else {
                throw path.part("order").fault(
                    "it is \"ascending\", \"descending\" or \"ignore\"")
            }
        }
        try checkAliases(json, at: path, areValid: { SchemaName.isValid($0) })

        guard let given = json["type"] else { throw path.fault("\"type\" is missing") }
        let isUnion = given.elements != nil
        let type = try type(given, in: namespace, at: isUnion ? path.part("type") : path)
        if let value = json["default"] {
            defaults.append(Default(value: value, type: type, path: path.part("default")))
            optional[record, default: []].insert(name)
        }
        return AvroRecord.Field(name: name, type: type)
    }

    mutating func enumeration(
        _ json: JSONText, in enclosing: String, at path: SchemaPath
    ) throws(SchemaFault) -> AvroType {
        let name = try fullName(of: json, in: enclosing, at: path)
        try checkDocumentation(json, at: path)
        guard let given = json["symbols"]?.elements, !given.isEmpty else {
            throw path.fault("an enum needs \"symbols\", an array of at least one string")
        }
        var symbols: [String] = []
        var seen: Set<String> = []
        for (number, symbol) in given.enumerated() {
            let place = path.part("symbols").element(number)
            guard let symbol = symbol.string, SchemaName.isValid(symbol) else {
                throw place.fault("a symbol is a string, and a name: \(SchemaName.rule)")
            }
            guard seen.insert(symbol).inserted else {
                throw place.fault("\"\(symbol)\" is among the symbols already")
            }
            symbols.append(symbol)
        }
        if let value = json["default"] {
            guard let symbol = value.string, seen.contains(symbol) else {
                throw path.part("default").fault("the default of an enum is one of its symbols")
            }
        }
        return .named(
            try define(
                .enumeration(AvroEnumeration(fullName: name, symbols: symbols)), at: path))
    }

    mutating func fixed(
        _ json: JSONText, in enclosing: String, at path: SchemaPath
    ) throws(SchemaFault) -> AvroType {
        let name = try fullName(of: json, in: enclosing, at: path)
        guard let size = json["size"]?.integer, (0...Int(Int32.max)).contains(size) else {
            throw path.fault("a fixed needs \"size\", an integer: its number of bytes")
        }
        return .named(try define(.fixed(AvroFixed(fullName: name, size: size)), at: path))
    }

    // MARK: Attributes

    /// The name with the namespace that it has or inherits; checks the aliases on the way.
    private func fullName(
        of json: JSONText, in enclosing: String, at path: SchemaPath
    ) throws(SchemaFault) -> String {
        guard let name = json["name"]?.string, SchemaName.isDotted(name) else {
            throw path.part("name").fault(
                "the \(json["type"]?.string ?? "type") needs a name, alone or with a namespace and a "
                    + "dot before it; \(SchemaName.rule)")
        }
        var namespace = enclosing
        if let given = json["namespace"] {
            guard let given = given.string, given.isEmpty || SchemaName.isDotted(given) else {
                throw path.part("namespace").fault(
                    "a namespace is a string of names with dots between them; \(SchemaName.rule)")
            }
            namespace = given
        }
        let fullName = SchemaName.full(name, in: namespace)
        let last = String(SchemaName.last(of: fullName))
        guard SchemaName.primitives[last] == nil else {
            throw path.part("name").fault("\"\(last)\" is a primitive type; no other has its name")
        }
        try checkAliases(json, at: path, areValid: { SchemaName.isDotted($0) })
        return fullName
    }

    private func checkAliases(
        _ json: JSONText, at path: SchemaPath, areValid: (String) -> Bool
    ) throws(SchemaFault) {
        guard let given = json["aliases"] else { return }
        let place = path.part("aliases")
        guard let aliases = given.elements else { throw place.fault("they are an array of names") }
        for (number, alias) in aliases.enumerated() {
            guard let alias = alias.string, areValid(alias) else {
                throw place.element(number).fault("an alias is a name; \(SchemaName.rule)")
            }
        }
    }

    private func checkDocumentation(
        _ json: JSONText, at path: SchemaPath
    ) throws(SchemaFault) {
        guard json["doc"] == nil || json["doc"]?.string != nil else {
            throw path.part("doc").fault("it is a string")
        }
    }

    /// JSON lets a reader take any of several members with one name; a schema must mean one thing to all.
    func checkMembers(
        _ members: [(String, JSONText)], at path: SchemaPath
    ) throws(SchemaFault) {
        var names: Set<String> = []
        for (name, _) in members where !names.insert(name).inserted {
            throw path.fault("\(JSONText.quoted(name)) stands here twice")
        }
    }
}
