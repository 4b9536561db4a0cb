/// The schemas of one configuration, by event type.
public struct SchemaSet: Sendable, Equatable {
    /// Two event types whose schemas differ and have the same ID.
    public struct Conflict: Sendable, Equatable {
        public var id: UInt32
        public var first: String
        public var second: String

        public init(id: UInt32, first: String, second: String) {
            self.id = id
            self.first = first
            self.second = second
        }
    }

    private let schemas: [String: AvroSchema]

    public init(_ schemas: [String: AvroSchema] = [:]) {
        self.schemas = schemas
    }

    /// nil: no schema covers events of this type.
    public subscript(eventType: String) -> AvroSchema? { schemas[eventType] }

    /// Sorted.
    public var eventTypes: [String] { schemas.keys.sorted() }

    /// What makes the set unfit for use: an ID in a key must mean one schema to whoever reads it.
    ///
    /// Schemas differ when their fingerprints do. Each event type is named with the first, in alphabetical order, that
    /// has its ID and another schema.
    public var conflicts: [Conflict] {
        var owners: [UInt32: String] = [:]
        var conflicts: [Conflict] = []
        for (eventType, schema) in schemas.sorted(by: { $0.key < $1.key }) {
            let owner = owners[schema.id, default: eventType]
            owners[schema.id] = owner
            if schemas[owner]?.fingerprint != schema.fingerprint {
                conflicts.append(Conflict(id: schema.id, first: owner, second: eventType))
            }
        }
        return conflicts
    }
}
