import Avro
import Batching
import Model
import Testing

/// What schemas change in routing.
@Suite struct SchemaRoutingTests {
    private static func schema(_ name: String, id: Int) throws -> AvroSchema {
        let text = """
            {"type": "record", "name": "\(name)", "schema_id": \(id), "fields":
             [{"name": "text", "type": "string", "doc": "line\\nbreak \\u00e9"}]}
            """
        return try AvroSchema(json: Array(text.utf8))
    }

    private static func routing() throws -> Routing {
        var avro = connector("avro")
        avro.format = .avro(.deflate)
        avro.transforms = Transforms(["a: b": .hash, "text": .remove])
        var plain = connector("plain")
        plain.format = .avro(.none)
        return Routing(
            cluster: "c", zone: "z", partition: 0, unmatched: .quarantine,
            connectors: [avro, connector("lines"), plain],
            schemas: SchemaSet(["shop.Order": try schema("Order", id: 77)]))
    }

    @Test func `A routing with schemas and transforms comes back as it was`() throws {
        let routing = try Self.routing()
        let bytes = routing.text.bytes
        #expect(try Routing(CheckedText(bytes, kind: "routing")) == routing)
    }

    @Test func `Without a connector in Avro schemas do not matter`() throws {
        let lines = Routing(
            cluster: "c", zone: "z", partition: 0, unmatched: .quarantine,
            connectors: [connector("lines")],
            schemas: SchemaSet(["shop.Order": try Self.schema("Order", id: 77)]))
        #expect(lines.schemas == SchemaSet())
    }

    @Test func `The key has the ID of the schema, and 0 where the format has none`() throws {
        let routing = try Self.routing()
        let keys = routing.connectors.map {
            routing.key(
                $0, eventType: "shop.Order", hour: Hour(hoursSince1970: 0), offset: 5)
        }
        #expect(keys[0].contains("/date=1970-01-01-00/77/z/") && keys[0].hasSuffix("+0+5.avro"))
        #expect(keys[1].contains("/date=1970-01-01-00/0/z/") && keys[1].hasSuffix("+0+5.jsonl.gz"))
        #expect(keys[2].contains("/77/"))
    }

    @Test func `A type without a schema is refused by the connectors in Avro alone`() throws {
        let answer = RoutingTable(try Self.routing())
            .answer(eventType: "other.Type", .subscriptions)
        #expect(answer.targets.map(\.connector) == [1])
        #expect(answer.refusals.map(\.connector) == [0, 2])
        #expect(
            answer.refusals.first?.refusal.description
                == "no schema covers type other.Type, and the connector's format is avro; add "
                + "other.Type.avsc to the schemas, or write format = \"jsonl\"")
    }

    @Test func `An ID that was used stands for one schema for ever`() throws {
        let first = try Self.schema("Order", id: 77)
        let changed = try Self.schema("Changed", id: 77)
        var used = UsedSchemas()
        #expect(used.conflicts(with: SchemaSet(["a": first])) == [])
        used.insert(first)
        #expect(used.contains(first))
        #expect(used.conflicts(with: SchemaSet(["a": first, "b": first])) == [])
        #expect(used.conflicts(with: SchemaSet(["a": changed, "b": first])) == ["a"])
        #expect(try UsedSchemas(used.text.bytes) == used)
        #expect(throws: CheckedText.Fault.self) {
            try UsedSchemas(CheckedText(kind: "routing").bytes)
        }
    }
}
