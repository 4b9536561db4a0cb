import Avro
import Testing

struct SchemaOracleTests {
    @Test(
        "Text, canonical form and fingerprint of schemas are those that fastavro finds",
        .enabled(
            if: SchemaOracle.isAvailable,
            "fastavro is missing: set SLUICE_PYTHON to a Python with it"),
        arguments: [20_261_123, UInt32.random(in: 0...UInt32.max)])
    func schemas(seed: UInt32) throws {
        let count = 500
        let cases = try #require(SchemaOracle.cases(seed: seed, count: count))
        #expect(cases.count > count)
        for item in cases {
            let text = String(decoding: item.text, as: UTF8.self)
            do {
                let read = try AvroSchema(json: item.text)
                #expect(read.text == item.compactText, "seed \(seed): \(text)")
                #expect(read.canonicalForm == item.canonicalForm, "seed \(seed): \(text)")
                #expect(read.fingerprint == item.fingerprint, "seed \(seed): \(text)")
            } catch {
                Issue.record("seed \(seed): \(error)\n\(text)")
            }
        }
    }
}
