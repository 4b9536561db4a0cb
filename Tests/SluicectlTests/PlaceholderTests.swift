import Avro
import Model
import Testing

@testable import sluicectl

@Suite("Placeholder events")
struct PlaceholderTests {
    private static let now = Timestamp(unixSeconds: 1_795_370_000)

    private static func connector(_ events: [String], byDefault: String?) -> ConnectorSettings {
        var settings = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: "acme-events", integrationID: "5d4a")
        settings.events = events.compactMap(EventPattern.init)
        settings.defaultEventType = byDefault
        return settings
    }

    private static func schema(_ fields: String) throws -> AvroSchema {
        try AvroSchema(
            json: Array(#"{"type": "record", "name": "R", "fields": [\#(fields)]}"#.utf8))
    }

    @Test(
        "Without schemas, an event is made for each type that is named",
        arguments: [
            (["a.B", "c.D"], nil, ["a.B", "c.D"], []),
            (["*"], nil, ["sluice.Test"], []),
            (["*"], "log.line", ["log.line"], []),
            (["a.B", "web.*"], nil, ["a.B"], ["web.*"]),
            (["web.*"], nil, [], ["web.*"]),
            (["web.*"], "web.Hit", ["web.Hit"], []),
            (["web.*"], "log.line", [], ["web.*"]),
            (["sluice.*"], nil, ["sluice.Test"], []),
            (["a.B", "*"], nil, ["a.B"], []),
        ] as [([String], String?, [String], [String])])
    func named(events: [String], byDefault: String?, types: [String], skipped: [String]) {
        let plan = PlaceholderPlan(
            for: Self.connector(events, byDefault: byDefault), schemas: nil)
        #expect(plan.types == types)
        #expect(plan.skipped == skipped.map { .init(name: $0, reason: "names no type") })
    }

    @Test(
        "With schemas, an event is made for each type that a pattern matches and a schema covers",
        arguments: [
            (["*"], nil, ["a.B", "a.C", "d.E"], ""),
            (["a.*"], nil, ["a.B", "a.C"], ""),
            (["a.C", "*"], nil, ["a.C", "a.B", "d.E"], ""),
            (
                ["*"], "log.line", ["a.B", "a.C", "d.E"],
                "none for log.line, which no schema covers"
            ),
            (
                ["a.B", "x.Y", "web.*"], nil, ["a.B"],
                "none for x.Y, which no schema covers; none for web.*, which matches no schema's type"
            ),
        ] as [([String], String?, [String], String)])
    func covered(events: [String], byDefault: String?, types: [String], words: String) throws {
        let schema = try Self.schema("")
        let plan = PlaceholderPlan(
            for: Self.connector(events, byDefault: byDefault),
            schemas: SchemaSet(["a.C": schema, "d.E": schema, "a.B": schema]))
        #expect(plan.types == types)
        #expect(plan.words == words)
    }

    /// The events of these types, by their lines.
    private static func events(_ types: [String], _ schemas: SchemaSet?) throws -> [JSONText] {
        var plan = PlaceholderPlan(for: connector(types, byDefault: nil), schemas: schemas)
        let text = PlaceholderEvents.text(of: &plan, schemas: schemas, now: now)
        #expect(text.hasSuffix("}\n"))
        return try text.split(separator: "\n").map { try JSONReader.read(Array($0.utf8)) }
    }

    @Test("They are lines of JSON, each with an id of its own that says what it is")
    func lines() throws {
        let schema = try Self.schema(
            #"{"name": "time", "type": "int"}, {"name": "id", "type": "string"}"#)
        for schemas in [nil, SchemaSet(["a.B": schema, "c.D": schema])] {
            let events = try Self.events(["a.B", "c.D"], schemas)
            #expect(events.compactMap { $0["event_type"]?.string } == ["a.B", "c.D"])
            let ids = events.compactMap { $0["id"]?.string }
            #expect(ids == ["sluice-test-1795370000-1", "sluice-test-1795370000-2"])
            #expect(events.allSatisfy { $0["time"]?.integer == 1_795_370_000 })
        }
    }

    @Test(
        "Every field has a value of its type",
        arguments: [
            (#""string""#, #""sluice-test""#), (#""bytes""#, #""sluice-test""#),
            (#""boolean""#, "false"), (#""int""#, "0"), (#""long""#, "0"), (#""float""#, "0.0"),
            (#""double""#, "0.0"), (#""null""#, "null"), (#"["string", "null"]"#, "null"),
            (#"["int", "string"]"#, "0"), (#"{"type": "array", "items": "R"}"#, "[]"),
            (#"{"type": "map", "values": "R"}"#, "{}"),
            (#"{"type": "enum", "name": "E", "symbols": ["X", "Y"]}"#, #""X""#),
            (#"{"type": "fixed", "name": "F", "size": 3}"#, #""000""#),
            (
                #"{"type": "record", "name": "S", "fields": [{"name": "id", "type": "string"}]}"#,
                #"{"id":"sluice-test"}"#
            ),
            (#"["R", "int"]"#, "0"),
            (
                // The first branch would contain the record itself.
                #"["R", {"type": "record", "name": "S", "fields": [{"name": "time", "type": "int"}]}]"#,
                #"{"time":0}"#
            ),
        ])
    func values(type: String, json: String) throws {
        let schema = try Self.schema(#"{"name": "a", "type": \#(type)}"#)
        let event = PlaceholderRecord.event(of: "t.T", schema, id: "i", now: Self.now)
        #expect(event?.text == #"{"event_type":"t.T","a":\#(json)}"#)
    }

    @Test(
        "A type whose schema no event can satisfy is skipped",
        arguments: [
            #"{"name": "a", "type": {"type": "fixed", "name": "F", "size": 1000000}}"#,
            // Each record has the one before it twice: 2^40 values.
            (0..<40).map { level in
                let inner = level == 0 ? #""int""# : #""L\#(level - 1)""#
                return #"""
                    {"name": "f\#(level)", "type": {"type": "record", "name": "L\#(level)", "fields": [
                    {"name": "a", "type": \#(inner)}, {"name": "b", "type": \#(inner)}]}}
                    """#
            }.joined(separator: ","),
        ])
    func tooLarge(fields: String) throws {
        let schemas = SchemaSet(["a.B": try Self.schema(fields)])
        var plan = PlaceholderPlan(
            for: Self.connector(["*"], byDefault: nil), schemas: schemas)
        #expect(PlaceholderEvents.text(of: &plan, schemas: schemas, now: Self.now) == "")
        #expect(plan.types == [])
        #expect(
            plan.words == "none for a.B, which has more required fields than an event may hold")
    }
}
