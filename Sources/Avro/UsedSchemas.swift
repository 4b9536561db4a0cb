public import Model

/// Which schema stands behind each schema ID that was ever part of an object's key.
///
/// Readers tell versions of a schema apart by the ID in the key, so an ID means one schema for ever. The spool keeps
/// this, and a configuration that gives a used ID to another schema is refused.
public struct UsedSchemas: Sendable, Equatable {
    /// CRC-64-AVRO by schema ID.
    private var fingerprints: [UInt32: UInt64] = [:]

    /// Its place in the spool.
    public static let file = "schemas"
    private static let kind = "schemas"
    private static let prefix = "fingerprint "

    public init() {}

    /// Those of `schemas` that have the ID of another schema, by event type.
    public func conflicts(with schemas: SchemaSet) -> [String] {
        schemas.eventTypes.filter { type in
            guard let schema = schemas[type], let used = fingerprints[schema.id] else {
                return false
            }
            return used != schema.fingerprint
        }
    }

    public func contains(_ schema: AvroSchema) -> Bool { fingerprints[schema.id] != nil }

    public mutating func insert(_ schema: AvroSchema) {
        fingerprints[schema.id] = schema.fingerprint
    }

    // MARK: As a file

    public var text: CheckedText {
        var text = CheckedText(kind: Self.kind)
        for (id, fingerprint) in fingerprints.sorted(by: { $0.key < $1.key }) {
            text.add(Self.prefix + String(id), String(fingerprint, radix: 16))
        }
        return text
    }

    public init(_ bytes: [UInt8]) throws(CheckedText.Fault) {
        for line in try CheckedText(bytes, kind: Self.kind).lines {
            guard line.key.hasPrefix(Self.prefix),
                let id = UInt32(line.key.dropFirst(Self.prefix.count)),
                let fingerprint = UInt64(line.value, radix: 16)
            else { throw .damaged("a line is no fingerprint") }
            fingerprints[id] = fingerprint
        }
    }
}
