import Avro
import Testing

struct AvroSchemaTests {
    @Test func `The first of the types is the root`() {
        let record = AvroRecord(fullName: "a.B", fields: [.init(name: "id", type: .string)])
        let schema = AvroSchema(
            types: [.record(record), .fixed(AvroFixed(fullName: "a.C", size: 4))], text: "{}",
            canonicalForm: "", fingerprint: 0, id: 1)
        #expect(schema.record == record)
        #expect(schema.types.map(\.fullName) == ["a.B", "a.C"])
    }
}
