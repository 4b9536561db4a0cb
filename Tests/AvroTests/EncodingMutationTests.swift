import Avro
import Encoding
import Support
import Testing

/// Events that are nearly what their schemas ask for.
@Suite struct EncodingMutationTests {
    @Test(
        .enabled(
            if: SchemaOracle.isAvailable,
            "fastavro is missing: set SLUICE_PYTHON to a Python with it"),
        arguments: [7, UInt32.random(in: 0...UInt32.max)])
    func `What is not refused can be decoded, and nothing is read beyond the event`(seed: UInt32)
        throws
    {
        var random = SeededGenerator(seed: UInt64(seed))
        let memory = GuardedText(capacity: 1 << 20)
        let output = EncodedBytes()
        var (encoded, refused) = (0, 0)
        for item in try #require(EventOracle.cases(seed: seed, count: 100))
        where item.event.utf8.count < 2000 {
            let schema = try AvroSchema(json: item.schema)
            let encoder = EventEncoder(schema)
            let decoder = EventDecoder(schema)
            for _ in 0..<20 {
                let text = mutated(Array(item.event.utf8), &random)
                let start = memory.place(text)
                var line = EventLine()
                JSONScanner.scan(start, from: 0, into: &line)
                guard line.outcome == .event else { continue }
                output.removeAll()
                let refusal = encoder.encode(
                    start + line.start, count: line.end - line.start, into: output)
                if let refusal {
                    refused += 1
                    #expect(output.bytes.isEmpty && !refusal.reason.isEmpty)
                    continue
                }
                encoded += 1
                var json: [UInt8] = []
                let end = try decoder.decode(Array(output.bytes), at: 0, into: &json)
                #expect(
                    end == output.count, "seed \(seed): \(String(decoding: text, as: UTF8.self))")
            }
        }
        // Mutations that all hit, or all miss, would prove nothing.
        #expect(encoded > 200 && refused > 200, "seed \(seed): \(encoded) and \(refused)")
    }

    private static let isSeam = (0...255).map { Array(",:[]{}".utf8).contains($0) }
    private static let values = [
        "null", "0", "-1", "1.5", "1e3", "99999999999999999999", "true", #""""#, #""\ud83d""#,
        #""é€""#, "[]", "{}", "[null]", #"{"string":"x"}"#, #"{"array":[{}]}"#, #"{"f0":{"f0":1}}"#,
    ].map { Array($0.utf8) }

    /// Replaces, moves or removes what lies between two places where a value may begin or end.
    private func mutated(_ event: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var text = event
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            let seams = text.indices.filter { Self.isSeam[Int(text[$0])] }
            guard let from = seams.randomElement(using: &random) else { return text }
            let to = seams.first { $0 > from } ?? from
            if Bool.random(using: &random), from < to {
                let value = Self.values.randomElement(using: &random) ?? []
                text.replaceSubrange(from + 1..<to, with: value)
            } else if Bool.random(using: &random), from < to {
                text.insert(contentsOf: text[from..<to], at: to)
            } else {
                text.removeSubrange(from..<to)
            }
        }
        return text
    }
}
