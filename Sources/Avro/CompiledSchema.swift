internal import Model

/// A schema as flat tables, ready to encode events by.
///
/// Types, records and fields are meant by their index. The root record is compiled apart from the named type that it
/// also is: only its fields carry transforms.
final class CompiledSchema {
    let types: UnsafePointer<CompiledType>
    let records: UnsafePointer<CompiledRecord>
    let fields: UnsafePointer<CompiledField>
    /// What a field is called, in the order of `fields`.
    let names: [String]
    /// Of each type.
    let typeNames: [String]
    /// The branches of unions: indices into `types`.
    let branches: UnsafePointer<Int32>
    /// Names that mean a branch in Avro's JSON form: per branch its full name and its short one.
    let branchNames: UnsafePointer<CompiledNames.Name>
    let enumerations: UnsafePointer<CompiledNames>
    /// Members of an event that are of use though no schema has them.
    let routingNames: CompiledNames
    /// The root is the first of `records`.
    let schemaName: String
    let schemaID: UInt32
    /// Owns what all pointers above point to.
    private let arena: CompiledArena

    init(_ schema: AvroSchema, _ transforms: Transforms) {
        let arena = CompiledArena()
        var compiler = SchemaCompiler(schema, arena)
        compiler.compileRoot(transforms)
        types = arena.array(compiler.types)
        records = arena.array(compiler.records)
        fields = arena.array(compiler.fields)
        names = compiler.fieldNames
        typeNames = compiler.typeNames
        branches = arena.array(compiler.branches)
        branchNames = arena.array(compiler.branchNames)
        enumerations = arena.array(compiler.enumerations)
        routingNames = CompiledNames(["event_type", "connector"], in: arena)
        schemaName = schema.record.fullName
        schemaID = schema.id
        self.arena = arena
    }
}

struct CompiledType {
    enum Kind: UInt8 {
        case null, boolean, int, long, float, double, bytes, string, array, map, union, record
        case enumeration, fixed
        /// A field with the transform `remove` or `hash`, or with one that its type cannot carry.
        case removed, hashed, unfit
    }

    var kind: Kind
    /// The kinds of JSON values that it may take; see `JSONKind`. An object or array as text is not among them.
    var accepts: UInt8
    /// Array and map: the type of the items. Union: the first of its `branches`. Record and enumeration: the index.
    /// Fixed: the size.
    var index: Int32 = 0
    /// Union: how many branches.
    var count: Int32 = 0
    /// Union, and what is transformed: which branch is null and which is string; -1 where none is. A type that is no
    /// union itself has the branch `whole`.
    var nullBranch: Int32 = -1
    var stringBranch: Int32 = -1

    static let whole: Int32 = -2
}

struct CompiledRecord {
    var firstField: Int32
    var fieldCount: Int32
    var names: CompiledNames
    /// By the field before, twice: which field came next in the last event, directly and after unknown members; -1
    /// where an unknown one did. Slots 0 and 1 are those of the first member.
    var successors: UnsafeMutablePointer<Int32>
}

struct CompiledField {
    var type: Int32
    /// What is written where the event does not have it: the null branch, `CompiledType.whole` for the type null,
    /// which takes no byte, or -1: it is required.
    var missing: Int32
}

/// The kinds of JSON values as bits.
enum JSONKind {
    static let null: UInt8 = 1
    static let boolean: UInt8 = 2
    static let number: UInt8 = 4
    static let string: UInt8 = 8
    static let object: UInt8 = 16
    static let array: UInt8 = 32

    @inline(__always)
    static func of(_ first: UInt8) -> UInt8 {
        switch first {
        case UInt8(ascii: "\""): string
        case UInt8(ascii: "{"): object
        case UInt8(ascii: "["): array
        case UInt8(ascii: "n"): null
        case UInt8(ascii: "t"), UInt8(ascii: "f"): boolean
        default: number
        }
    }
}
