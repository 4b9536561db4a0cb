import Avro
import Configuration
import Model
import Testing

@Suite struct SchemaTests {
    private let sandbox = Sandbox()

    private static func schema(_ fields: String, id: Int? = nil) -> String {
        let number = id.map { ", \"schema_id\": \($0)" } ?? ""
        return #"{"type": "record", "name": "R"\#(number), "fields": [\#(fields)]}"#
    }

    private static let name = #"{"name": "name", "type": "string"}"#
    private static let time = #"{"name": "time", "type": "long"}"#

    private func avro(_ more: String = "") {
        sandbox.connector("orders", "bucket = \"acme\"\n" + more)
    }

    @Test func `Schemas lie beside sluice.toml, each named for its event type`() {
        avro("events = [\"shop.*\"]")
        sandbox.write(Self.schema(Self.name), to: "schemas/shop.Order.avsc")
        let loaded = sandbox.load()
        #expect(loaded.problemTexts == [])
        #expect(loaded.warningTexts == [])
        #expect(loaded.schemas.eventTypes == ["shop.Order"])
    }

    @Test func `The file in the earlier directory counts`() {
        sandbox.write("[schemas]\ndirectories = [\"more\", \"schemas\"]\n", to: "sluice.toml")
        avro()
        sandbox.write(Self.schema(Self.name, id: 7), to: "more/shop.Order.avsc")
        sandbox.write("not even JSON", to: "schemas/shop.Order.avsc")
        sandbox.write(Self.schema(Self.time, id: 8), to: "schemas/shop.Refund.avsc")
        let loaded = sandbox.load()
        #expect(loaded.problemTexts == [])
        #expect(loaded.schemas["shop.Order"]?.id == 7)
        #expect(loaded.schemas["shop.Refund"]?.id == 8)
    }

    @Test func `What is wrong with a schema is told with its file`() {
        avro()
        sandbox.write(Self.schema(#"{"name": "a", "type": "text"}"#), to: "schemas/a.avsc")
        sandbox.write("{}", to: "schemas/.hidden.avsc")
        sandbox.write("{}", to: "schemas/two..dots.avsc")
        sandbox.write("{}", to: "schemas/README")
        let loaded = sandbox.load()
        #expect(loaded.problemTexts.count == 2, "\(loaded.problemTexts)")
        #expect(loaded.problemTexts[0].hasPrefix("schemas/a.avsc: "))
        #expect(loaded.problemTexts[0].contains("fields[0]"))
        #expect(
            loaded.problemTexts[1] == "schemas/two..dots.avsc: is not named for an event type; "
                + "write <event type>.avsc")
        #expect(
            loaded.warningTexts.first
                == "schemas/README: is not read; the files of schemas end in .avsc")
    }

    @Test func `Two schemas may not have one ID`() {
        avro()
        sandbox.write(Self.schema(Self.name, id: 7), to: "schemas/a.avsc")
        sandbox.write(Self.schema(Self.time, id: 7), to: "schemas/b.avsc")
        // The same schema for two event types is one.
        sandbox.write(Self.schema(Self.name, id: 7), to: "schemas/c.avsc")
        #expect(
            sandbox.load().problemTexts == [
                "schemas/b.avsc: has the schema ID 7, as schemas/a.avsc has, and is another schema; "
                    + "give one of them a \"schema_id\" of its own, or leave it out"
            ])
    }

    @Test func `A schema may not change under an ID that was used`() throws {
        var used = UsedSchemas()
        used.insert(try AvroSchema(json: Array(Self.schema(Self.name, id: 7).utf8)))
        sandbox.write("[spool]\ndirectory = \"\(sandbox.path)/more\"\n", to: "sluice.toml")
        sandbox.write(used.text.bytes, to: "more/schemas")
        avro()
        sandbox.write(Self.schema(Self.name, id: 7), to: "schemas/a.avsc")
        #expect(sandbox.load().problemTexts == [])
        sandbox.write(Self.schema(Self.time, id: 7), to: "schemas/a.avsc")
        #expect(
            sandbox.load().problemTexts == [
                "schemas/a.avsc: has changed, and its schema ID 7 has not, under which objects were "
                    + "written; give it a new \"schema_id\", or leave it out"
            ])
        sandbox.write(Self.schema(Self.time), to: "schemas/a.avsc")
        #expect(sandbox.load().problemTexts == [])
    }

    @Test func `A transform that a field's type cannot carry is refused`() {
        sandbox.write(Self.schema(Self.name + ", " + Self.time), to: "schemas/shop.Order.avsc")
        avro("[transform]\nname = \"hash\"\ntime = \"hash\"\nnowhere = \"remove\"\n")
        let texts = sandbox.load().problemTexts
        #expect(texts.count == 1, "\(texts)")
        #expect(texts.first?.hasPrefix("connectors.d/orders.toml: transform.time: ") == true)
        #expect(texts.first?.contains("shop.Order") == true)
        avro("format = \"jsonl\"\n[transform]\ntime = \"hash\"\n")
        #expect(sandbox.load().problemTexts == [])
    }

    @Test func `A pattern that no schema fits is a warning, in Avro only`() {
        sandbox.write(Self.schema(Self.name), to: "schemas/shop.Order.avsc")
        avro("events = [\"shop.*\", \"users.Click\"]")
        #expect(
            sandbox.load().warningTexts == [
                "connectors.d/orders.toml: events: no schema covers \"users.Click\", so such events "
                    + "go to quarantine; add a schema, or write format = \"jsonl\""
            ])
        avro("format = \"jsonl\"\nevents = [\"users.Click\"]")
        #expect(sandbox.load().warningTexts == [])
    }
}
