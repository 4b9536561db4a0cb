import Avro
import Testing

@Suite("The schemas that are shipped")
struct ShippedSchemaTests {
    @Test("Each is named for its event type, and carries the ID that it would have without one")
    func identity() throws {
        for (eventType, json) in ShippedSchemas.json {
            let read = try AvroSchema(json: json)
            #expect(read.record.fullName == "dataexport.S3.inner.\(eventType)")
            #expect(UInt64(read.id) == read.fingerprint & 0x7fff_ffff, "\(eventType)")
            #expect(read.text.contains(#""schema_id":\#(read.id),"#), "\(eventType)")
        }
    }

    @Test("There are 94 of them, and no two share an ID")
    func set() throws {
        var schemas: [String: AvroSchema] = [:]
        for (eventType, json) in ShippedSchemas.json {
            schemas[eventType] = try AvroSchema(json: json)
        }
        #expect(SchemaSet(schemas).conflicts == [])
        #expect(Set(schemas.values.map(\.id)).count == 94)
    }

    @Test("Each asks for the ID of an event and for its time")
    func fields() throws {
        for (eventType, json) in ShippedSchemas.json {
            let fields = try AvroSchema(json: json).record.fields
            #expect(fields.contains(.init(name: "id", type: .string)), "\(eventType)")
            let time = fields.first { $0.name == "time" }
            #expect(time?.type == .int || time?.type == .long, "\(eventType)")
        }
    }
}
