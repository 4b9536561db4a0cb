import Avro
import enum Encoding.JSONScanner
import Model

/// An event that is true to a schema and says by its strings that it is none of an application's.
///
/// Its `id` is the one given and its `time` now, where the schema has a string and an integer of these names. Every
/// other string is "sluice-test", numbers are 0, arrays and maps are empty, and what may be null is.
struct PlaceholderRecord {
    static let mark = "sluice-test"

    /// The most values of one event. A schema of a few lines may ask for any number.
    private static let mostValues = 20_000

    private let schema: AvroSchema
    private let id: String
    private let now: Timestamp
    private var values = 0
    /// Records around the value, by their index.
    private var open: Set<Int> = []

    /// nil: the schema asks for more than an event may hold.
    static func event(
        of type: String, _ schema: AvroSchema, id: String, now: Timestamp
    ) -> JSONText? {
        var record = PlaceholderRecord(schema: schema, id: id, now: now)
        guard case .object(var members) = record.value(of: .named(0)) else { return nil }
        members.removeAll { $0.0 == "event_type" }
        let event = JSONText.object([("event_type", .string(type))] + members)
        return event.text.utf8.count <= JSONScanner.longestEvent ? event : nil
    }

    private init(schema: AvroSchema, id: String, now: Timestamp) {
        (self.schema, self.id, self.now) = (schema, id, now)
    }

    /// nil: there is none that does not contain a record within itself, or no room for one.
    private mutating func value(of type: AvroType, for field: String = "") -> JSONText? {
        values += 1
        guard values <= Self.mostValues else { return nil }
        let isOutermost = open.count == 1
        switch type {
        case .null: return .null
        case .boolean: return .boolean(false)
        case .int, .long:
            return .integer(isOutermost && field == "time" ? Int(now.unixSeconds) : 0)
        case .float, .double: return .number("0.0")
        case .string: return .string(isOutermost && field == "id" ? id : Self.mark)
        case .bytes: return .string(Self.mark)
        case .array: return .array([])
        case .map: return .object([])
        case .union(let branches): return union(branches, for: field)
        case .named(let index): return named(index)
        }
    }

    private mutating func union(_ branches: [AvroType], for field: String) -> JSONText? {
        // Records come last: what is plain can be mistaken for no other branch.
        let isRecord = { [schema] (type: AvroType) in
            guard case .named(let index) = type, case .record = schema.types[index] else {
                return false
            }
            return true
        }
        if branches.contains(.null) { return .null }
        for branch in branches.filter({ !isRecord($0) }) + branches.filter(isRecord) {
            if let value = value(of: branch, for: field) { return value }
        }
        return nil
    }

    private mutating func named(_ index: Int) -> JSONText? {
        switch schema.types[index] {
        case .enumeration(let enumeration): return enumeration.symbols.first.map { .string($0) }
        case .fixed(let fixed):
            guard fixed.size <= JSONScanner.longestEvent else { return nil }
            return .string(String(repeating: "0", count: fixed.size))
        case .record(let record):
            guard open.insert(index).inserted else { return nil }
            defer { open.remove(index) }
            var members: [(String, JSONText)] = []
            for field in record.fields {
                guard let value = value(of: field.type, for: field.name) else { return nil }
                members.append((field.name, value))
            }
            return .object(members)
        }
    }
}
