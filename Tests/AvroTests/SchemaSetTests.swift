import Avro
import Testing

@Suite("Sets of schemas")
struct SchemaSetTests {
    private func record(_ name: String, id: Int, doc: String = "") throws -> AvroSchema {
        try schema(
            #"{"type":"record","name":"\#(name)","doc":"\#(doc)","fields":[],"schema_id":\#(id)}"#)
    }

    @Test("A schema is found by its event type")
    func lookup() throws {
        let orders = try record("Placed", id: 1)
        let set = SchemaSet(["orders.Placed": orders, "orders.Sent": try record("Sent", id: 2)])
        #expect(set["orders.Placed"] == orders)
        #expect(set["orders.placed"] == nil)
        #expect(set.eventTypes == ["orders.Placed", "orders.Sent"])
    }

    @Test("Different schemas under one ID are in conflict, each with the first that has it")
    func conflicts() throws {
        let set = SchemaSet([
            "d": try record("A", id: 7), "a": try record("A", id: 7), "c": try record("C", id: 7),
            "b": try record("B", id: 7), "e": try record("E", id: 8), "f": try record("F", id: 8),
        ])
        #expect(
            set.conflicts == [
                .init(id: 7, first: "a", second: "b"), .init(id: 7, first: "a", second: "c"),
                .init(id: 8, first: "e", second: "f"),
            ])
    }

    @Test("One schema may serve several event types, whatever is said about it beside")
    func shared() throws {
        let set = SchemaSet([
            "a": try record("A", id: 7), "b": try record("A", id: 7, doc: "the same"),
            "c": try record("C", id: 9),
        ])
        #expect(set.conflicts == [])
        #expect(SchemaSet([:]).conflicts == [])
    }
}
