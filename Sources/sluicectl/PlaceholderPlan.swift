import Avro
import Model

/// Of which event types a connector gets a placeholder, and of which it cannot.
struct PlaceholderPlan: Equatable {
    struct Skipped: Equatable {
        /// A pattern of the connector's, or a type.
        var name: String
        /// What goes on after "which".
        var reason: String
    }

    /// Sent where a connector that needs no schemas takes everything and names nothing.
    static let type = "sluice.Test"

    private(set) var types: [String] = []
    private(set) var skipped: [Skipped] = []

    /// - Parameter schemas: nil where the connector's format needs none.
    init(for connector: ConnectorSettings, schemas: SchemaSet?) {
        let patterns = connector.events.map(\.description)
        let isWanted = { (type: String) in connector.events.contains { $0.matches(type) } }
        var named = patterns.filter { !$0.contains("*") }
        if let type = connector.defaultEventType, isWanted(type) { named.append(type) }
        if named.isEmpty, schemas == nil, isWanted(Self.type) { named = [Self.type] }
        named += (schemas?.eventTypes ?? []).filter(isWanted)
        var seen: Set<String> = []
        types = named.filter { seen.insert($0).inserted }
        if let schemas {
            for type in types where schemas[type] == nil { skip(type, "no schema covers") }
        }
        for (pattern, text) in zip(connector.events, patterns)
        where text.contains("*") && !types.contains(where: pattern.matches) {
            let reason = schemas == nil ? "names no type" : "matches no schema's type"
            skipped.append(Skipped(name: text, reason: reason))
        }
    }

    /// Takes out a type whose placeholder cannot be made.
    mutating func skip(_ type: String, _ reason: String) {
        types.removeAll { $0 == type }
        skipped.append(Skipped(name: type, reason: reason))
    }

    /// What is skipped, and why; empty where nothing is.
    var words: String {
        skipped.map { "none for \($0.name), which \($0.reason)" }.joined(separator: "; ")
    }
}
