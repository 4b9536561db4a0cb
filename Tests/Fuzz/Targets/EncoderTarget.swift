import Avro
import Encoding
import Model

/// Lines that the scanner takes for events are encoded, decoded and encoded again.
enum EncoderTarget {
    static func fault(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        let choice = FuzzSchemas.all[Int(first) % FuzzSchemas.all.count]
        let encoder = EventEncoder(choice.schema, choice.transforms)
        let decoder = EventDecoder(choice.schema)
        let output = EncodedBytes()
        let text = ScannedText(bytes.dropFirst())
        return text.forEachLine { line in
            guard line.outcome == .event else { return nil }
            let before = output.count
            let event = text.start + line.start
            let refusal = encoder.encode(event, count: line.end - line.start, into: output)
            if let refusal {
                if refusal.description.isEmpty { return "a refusal without words" }
                return output.count == before ? nil : "a refused event left bytes"
            }
            _ = encoder.ignoredMember
            let encoded = Array(output.bytes[before...])
            // What the encoder has seen before changes nothing.
            _ = encoder.encode(event, count: line.end - line.start, into: output)
            guard output.bytes[(before + encoded.count)...].elementsEqual(encoded) else {
                return "encoded again, it has other bytes"
            }
            return fault(decoding: encoded, with: decoder, choice)
        }
    }

    private static func fault(
        decoding encoded: [UInt8], with decoder: EventDecoder, _ choice: FuzzSchemas.Choice
    ) -> String? {
        var json: [UInt8] = []
        do throws(DecodingFault) {
            let end = try decoder.decode(encoded, at: 0, into: &json)
            guard end == encoded.count else { return "decoded: \(end) of \(encoded.count) bytes" }
        } catch {
            return "cannot be decoded: \(error)"
        }
        guard choice.isUnambiguous else { return nil }
        let text = ScannedText(json[...])
        return text.forEachLine { line in
            switch line.outcome {
            case .refused(.tooLong): return nil
            case .event: break
            default: return "decoded, it is \(line.outcome)"
            }
            let output = EncodedBytes()
            let refusal = EventEncoder(choice.schema).encode(
                text.start + line.start, count: line.end - line.start, into: output)
            if let refusal { return "decoded, it is refused: \(refusal)" }
            return output.bytes.elementsEqual(encoded) ? nil : "decoded, it has other bytes"
        }
    }
}
