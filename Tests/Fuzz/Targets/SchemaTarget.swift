import Avro
import Encoding
import Model

/// Arbitrary bytes as an `.avsc` file. What is taken for a schema means the same when it is read again, and events can be
/// encoded by it.
enum SchemaTarget {
    static func fault(_ bytes: [UInt8]) -> String? {
        let schema: AvroSchema
        do throws(SchemaFault) {
            schema = try AvroSchema(json: bytes)
        } catch {
            return error.reason.isEmpty ? "a fault without words" : nil
        }
        do throws(SchemaFault) {
            // As objects carry it.
            guard try AvroSchema(json: Array(schema.text.utf8)) == schema else {
                return "its own text is another schema"
            }
            let canonical = try AvroSchema(json: Array(schema.canonicalForm.utf8))
            guard canonical.canonicalForm == schema.canonicalForm,
                canonical.fingerprint == schema.fingerprint
            else { return "its canonical form is another schema" }
        } catch {
            return "its own text is none: \(error)"
        }
        guard schema.id > 0, schema.id <= UInt32(Int32.max) else { return "ID \(schema.id)" }
        return encodingFault(schema)
    }

    private static func encodingFault(_ schema: AvroSchema) -> String? {
        let encoder = EventEncoder(schema)
        let event = ScannedText(Array(#"{"a":1,"b":"x","c":null,"d":[],"e":{}}"#.utf8)[...])
        let output = EncodedBytes()
        if encoder.encode(event.start, count: event.count, into: output) != nil {
            return output.count == 0 ? nil : "a refused event left bytes"
        }
        var json: [UInt8] = []
        do throws(DecodingFault) {
            let end = try EventDecoder(schema).decode(Array(output.bytes), at: 0, into: &json)
            return end == output.count ? nil : "decoded: \(end) of \(output.count) bytes"
        } catch {
            return "cannot be decoded: \(error)"
        }
    }
}
