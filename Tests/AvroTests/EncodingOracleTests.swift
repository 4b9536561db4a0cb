import Avro
import Testing

@Suite struct EncodingOracleTests {
    @Test(
        .enabled(
            if: SchemaOracle.isAvailable,
            "fastavro is missing: set SLUICE_PYTHON to a Python with it"),
        arguments: [20_261_123, UInt32.random(in: 0...UInt32.max)])
    func `Events of random schemas are the bytes that fastavro writes`(seed: UInt32) throws {
        let cases = try #require(EventOracle.cases(seed: seed, count: 200))
        #expect(cases.count > 900)
        var schema: [UInt8] = []
        var encoder: EventEncoder?
        for item in cases {
            if schema != item.schema {
                schema = item.schema
                encoder = EventEncoder(try AvroSchema(json: schema))
            }
            let encoded = EncodedEvent(item.event, try #require(encoder))
            guard encoded.refusal != nil || encoded.bytes != item.binary else { continue }
            Issue.record(
                """
                seed \(seed): \(encoded.refusal?.description ?? "other bytes")
                \(item.event.prefix(2000))
                \(String(decoding: item.schema.prefix(4000), as: UTF8.self))
                """)
        }
    }
}
