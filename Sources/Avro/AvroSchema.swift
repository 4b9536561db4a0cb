/// An Avro schema of a record: names resolved, ready to be compiled.
///
/// Source: the Apache Avro 1.12 specification, "Schema Declaration". Named types stand once in `types` and are meant
/// by their index, so a type may contain itself.
public struct AvroSchema: Sendable, Equatable {
    /// In the order of their definition; the root comes first.
    public var types: [NamedType]
    /// The whole schema as JSON on one line, as objects carry it: all attributes, no white space.
    public var text: String
    /// "Transforming into Parsing Canonical Form".
    public var canonicalForm: String
    /// CRC-64-AVRO of the canonical form.
    public var fingerprint: UInt64
    /// What stands in object keys: 1 to 2^31 - 1. The attribute `schema_id` of the file, else 31 bits of the
    /// fingerprint, so that every host finds the same.
    public var id: UInt32

    public init(
        types: [NamedType], text: String, canonicalForm: String, fingerprint: UInt64, id: UInt32
    ) {
        self.types = types
        self.text = text
        self.canonicalForm = canonicalForm
        self.fingerprint = fingerprint
        self.id = id
    }

    /// The root.
    public var record: AvroRecord {
        guard case .record(let record) = types[0] else {
            preconditionFailure("the parser takes nothing but records")
        }
        return record
    }
}

/// What a value may be.
public indirect enum AvroType: Sendable, Equatable {
    case null, boolean, int, long, float, double, bytes, string
    case array(of: AvroType)
    case map(of: AvroType)
    case union([AvroType])
    /// An index into the schema's `types`.
    case named(Int)
}

public enum NamedType: Sendable, Equatable {
    case record(AvroRecord)
    case enumeration(AvroEnumeration)
    case fixed(AvroFixed)

    /// With its namespace.
    public var fullName: String {
        switch self {
        case .record(let record): record.fullName
        case .enumeration(let enumeration): enumeration.fullName
        case .fixed(let fixed): fixed.fullName
        }
    }
}

public struct AvroRecord: Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        public var name: String
        public var type: AvroType

        public init(name: String, type: AvroType) {
            self.name = name
            self.type = type
        }
    }

    public var fullName: String
    /// In the order in which they are written.
    public var fields: [Field]

    public init(fullName: String, fields: [Field]) {
        self.fullName = fullName
        self.fields = fields
    }
}

public struct AvroEnumeration: Sendable, Equatable {
    public var fullName: String
    public var symbols: [String]

    public init(fullName: String, symbols: [String]) {
        self.fullName = fullName
        self.symbols = symbols
    }
}

public struct AvroFixed: Sendable, Equatable {
    public var fullName: String
    /// Bytes.
    public var size: Int

    public init(fullName: String, size: Int) {
        self.fullName = fullName
        self.size = size
    }
}
