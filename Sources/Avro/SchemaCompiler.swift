internal import Model

/// Makes the tables of `CompiledSchema`.
struct SchemaCompiler {
    private let schema: AvroSchema
    private let arena: CompiledArena
    private(set) var types: [CompiledType] = []
    private(set) var typeNames: [String] = []
    private(set) var records: [CompiledRecord] = []
    private(set) var fields: [CompiledField] = []
    private(set) var fieldNames: [String] = []
    private(set) var branches: [Int32] = []
    private(set) var branchNames: [CompiledNames.Name] = []
    private(set) var enumerations: [CompiledNames] = []
    /// Where the named types stand in `types`; a type is noted before its fields are looked at, so it may contain itself.
    private var named: [Int: Int32] = [:]

    init(_ schema: AvroSchema, _ arena: CompiledArena) {
        self.schema = schema
        self.arena = arena
    }

    mutating func compileRoot(_ transforms: Transforms) {
        compile(schema.record, transforms)
    }

    mutating func add(_ type: CompiledType, _ name: String) -> Int32 {
        types.append(type)
        typeNames.append(name)
        return Int32(types.count - 1)
    }

    mutating func compile(_ type: AvroType) -> Int32 {
        switch type {
        case .null: add(CompiledType(kind: .null, accepts: JSONKind.null), "null")
        case .boolean: add(CompiledType(kind: .boolean, accepts: JSONKind.boolean), "boolean")
        case .int: add(CompiledType(kind: .int, accepts: JSONKind.number), "int")
        case .long: add(CompiledType(kind: .long, accepts: JSONKind.number), "long")
        case .float:
            add(CompiledType(kind: .float, accepts: JSONKind.number | JSONKind.string), "float")
        case .double:
            add(CompiledType(kind: .double, accepts: JSONKind.number | JSONKind.string), "double")
        case .bytes: add(CompiledType(kind: .bytes, accepts: JSONKind.string), "bytes")
        case .string: add(CompiledType(kind: .string, accepts: JSONKind.string), "string")
        case .array(let items): compile(.array, JSONKind.array, of: items, "array")
        case .map(let values): compile(.map, JSONKind.object, of: values, "map")
        case .union(let branches): compile(union: branches)
        case .named(let index): compile(named: index)
        }
    }

    private mutating func compile(
        _ kind: CompiledType.Kind, _ accepts: UInt8, of items: AvroType, _ name: String
    ) -> Int32 {
        let index = compile(items)
        return add(CompiledType(kind: kind, accepts: accepts, index: index), name)
    }

    private mutating func compile(union members: [AvroType]) -> Int32 {
        let compiled = members.map { compile($0) }
        let first = branches.count
        branches += compiled
        var accepts: UInt8 = 0
        for branch in compiled {
            let name = typeNames[Int(branch)]
            let short = name.split(separator: ".").last.map(String.init) ?? name
            for text in [name, short] {
                branchNames.append(
                    CompiledNames.Name(bytes: arena.text(text), count: text.utf8.count))
            }
            accepts |= types[Int(branch)].accepts
        }
        return add(
            CompiledType(
                kind: .union, accepts: accepts, index: Int32(first), count: Int32(members.count),
                nullBranch: Int32(members.firstIndex(of: .null) ?? -1),
                stringBranch: Int32(members.firstIndex(of: .string) ?? -1)),
            "union")
    }

    private mutating func compile(named index: Int) -> Int32 {
        if let known = named[index] { return known }
        let name = schema.types[index].fullName
        let type: Int32
        switch schema.types[index] {
        case .fixed(let fixed):
            type = add(
                CompiledType(kind: .fixed, accepts: JSONKind.string, index: Int32(fixed.size)), name
            )
            named[index] = type
        case .enumeration(let enumeration):
            type = add(
                CompiledType(
                    kind: .enumeration, accepts: JSONKind.string,
                    index: Int32(enumerations.count)), name)
            named[index] = type
            enumerations.append(CompiledNames(enumeration.symbols, in: arena))
        case .record(let record):
            type = add(
                CompiledType(
                    kind: .record, accepts: JSONKind.object, index: Int32(records.count)), name)
            named[index] = type
            compile(record, Transforms())
        }
        return type
    }

    /// Appends a record, then its fields next to each other, then what they are made of.
    private mutating func compile(_ record: AvroRecord, _ transforms: Transforms) {
        let first = fields.count
        let count = record.fields.count
        records.append(
            CompiledRecord(
                firstField: Int32(first), fieldCount: Int32(count),
                names: CompiledNames(record.fields.map(\.name), in: arena),
                successors: arena.mutableArray(
                    (0...count).flatMap { next in
                        [Int32(next < count ? next : -1), Int32(-1)]
                    })))
        fieldNames += record.fields.map(\.name)
        fields += [CompiledField](repeating: CompiledField(type: 0, missing: -1), count: count)
        for (index, field) in record.fields.enumerated() {
            let type =
                if let action = transforms.actions[field.name] {
                    compile(field.type, action)
                } else {
                    compile(field.type)
                }
            // A transform that does not fit is refused even where the field is missing.
            let isUnfit = types[Int(type)].kind == .unfit
            fields[first + index] = CompiledField(
                type: type, missing: isUnfit ? -1 : Self.missing(field.type))
        }
    }

    private static func missing(_ type: AvroType) -> Int32 {
        switch type {
        case .null: CompiledType.whole
        case .union(let branches): Int32(branches.firstIndex(of: .null) ?? -1)
        default: -1
        }
    }
}
