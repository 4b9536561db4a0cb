import Avro
public import Model

/// The text in which the routing in effect is kept.
extension Routing {
    public var text: CheckedText {
        var text = CheckedText(kind: "routing")
        text.add("cluster", cluster)
        text.add("zone", zone)
        text.add("partition", partition)
        text.add("unmatched", unmatched.rawValue)
        for connector in connectors {
            text.add("connector", connector.name)
            text.add("folder", connector.folder)
            if connector.kind == .dataExport {
                text.add("kind", connector.kind.rawValue)
                text.add("key", connector.keyTemplate)
            }
            text.add("integration-id", connector.integrationID)
            for pattern in connector.patterns { text.add("events", pattern) }
            if let type = connector.defaultEventType { text.add("default-event-type", type) }
            text.add("format", connector.format.name)
            if let level = connector.compressionLevel { text.add("compression-level", level) }
            for (field, action) in connector.transforms.actions.sorted(by: { $0.key < $1.key }) {
                text.add(action.rawValue, field)
            }
            text.add("max-events", connector.limits.maxEvents)
            text.add("max-age-milliseconds", connector.limits.maxAge.milliseconds)
            text.add("max-bytes", connector.limits.maxBytes.bytes)
        }
        for type in schemas.eventTypes {
            if let schema = schemas[type] { text.add(Self.schemaPrefix + type, schema.text) }
        }
        return text
    }

    /// Stands before the event types, so that none of them can be taken for another key.
    private static let schemaPrefix = "schema "

    public init(_ text: CheckedText) throws(CheckedText.Fault) {
        guard let unmatched = Unmatched(rawValue: try text.value("unmatched")) else {
            throw .damaged("unmatched is unknown")
        }
        self.init(
            cluster: try text.value("cluster"), zone: try text.value("zone"),
            partition: try text.number("partition"), unmatched: unmatched, connectors: [])
        var schemas: [String: AvroSchema] = [:]
        for line in text.lines {
            if line.key.hasPrefix(Self.schemaPrefix) {
                let type = String(line.key.dropFirst(Self.schemaPrefix.count))
                schemas[type] = try Self.schema(line.value, of: type)
            } else if line.key == "connector" {
                guard let name = ConnectorName(line.value) else {
                    throw .damaged("a connector's name is invalid")
                }
                connectors.append(
                    Connector(ConnectorSettings(name: name, bucket: "", integrationID: "")))
                connectors[connectors.count - 1].patterns = []
            } else if !connectors.isEmpty {
                try connectors[connectors.count - 1].take(line.key, line.value)
            }
        }
        self.schemas = SchemaSet(schemas)
    }

    private static func schema(
        _ json: String, of type: String
    ) throws(CheckedText.Fault) -> AvroSchema {
        do throws(SchemaFault) {
            return try AvroSchema(json: Array(json.utf8))
        } catch {
            throw .damaged("the schema of \(type) is invalid: \(error.description)")
        }
    }
}

extension Routing.Connector {
    fileprivate mutating func take(_ key: String, _ value: String) throws(CheckedText.Fault) {
        switch key {
        case "folder": folder = value
        case "kind":
            guard let kind = ConnectorSettings.Kind(rawValue: value) else {
                throw .damaged("a kind is unknown")
            }
            self.kind = kind
        case "key":
            do throws(KeyTemplate.Fault) { keyTemplate = try KeyTemplate(value) } catch {
                throw .damaged("a template of keys \(error)")
            }
        case "integration-id": integrationID = value
        case "default-event-type": defaultEventType = value
        case "events":
            guard let pattern = EventPattern(value) else { throw .damaged("a pattern is invalid") }
            patterns.append(pattern)
        case "format":
            guard let format = ObjectFormat(name: value) else {
                throw .damaged("a format is unknown")
            }
            self.format = format
        case "compression-level":
            let level = try Self.number(value)
            guard format.levels?.range.contains(level) == true else {
                throw .damaged("a compression level is out of range")
            }
            compressionLevel = level
        case Transforms.Action.remove.rawValue: transforms.actions[value] = .remove
        case Transforms.Action.hash.rawValue: transforms.actions[value] = .hash
        case "max-events": limits.maxEvents = try Self.number(value)
        case "max-age-milliseconds": limits.maxAge = .milliseconds(try Self.number(value))
        case "max-bytes": limits.maxBytes = ByteCount(UInt64(try Self.number(value)))
        default: throw .damaged("\(key) is unknown")
        }
    }

    private static func number(_ text: String) throws(CheckedText.Fault) -> Int {
        guard let number = Int(text), number >= 0 else { throw .damaged("a number is invalid") }
        return number
    }
}

extension ObjectFormat {
    private static let named: [(name: String, format: ObjectFormat)] = [
        ("avro-deflate", .avro(.deflate)), ("avro-zstandard", .avro(.zstandard)),
        ("avro", .avro(.none)), ("jsonl-gzip", .jsonl(.gzip)), ("jsonl-zstd", .jsonl(.zstd)),
        ("jsonl", .jsonl(.none)),
    ]

    /// Its name in the spool's files.
    var name: String {
        switch self {
        case .avro(.deflate): "avro-deflate"
        case .avro(.zstandard): "avro-zstandard"
        case .avro(.none): "avro"
        case .jsonl(.gzip): "jsonl-gzip"
        case .jsonl(.zstd): "jsonl-zstd"
        case .jsonl(.none): "jsonl"
        }
    }

    init?(name: String) {
        guard let found = Self.named.first(where: { $0.name == name }) else { return nil }
        self = found.format
    }
}
