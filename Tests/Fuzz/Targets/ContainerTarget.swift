import Avro
import Encoding

/// Arbitrary bytes as an object: read block by block, and its records decoded. What is printed is JSON.
enum ContainerTarget {
    /// The most records that are decoded, and bytes that are printed: an input is to take milliseconds.
    private static let mostRecords = 1_000
    private static let mostText = 1 << 20

    static func fault(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        var rest = bytes.dropFirst()
        let size = Int(first) + 1
        do throws(ContainerFault) {
            var reader = try ContainerReader { () throws(ContainerReader.Unreadable) in
                let piece = Array(rest.prefix(size))
                rest = rest.dropFirst(size)
                return piece
            }
            var schema: AvroSchema?
            do throws(SchemaFault) {
                schema = try AvroSchema(json: Array(reader.schema.utf8))
            } catch {
                // Its blocks can be read all the same.
            }
            let decoder = schema.map { EventDecoder($0, longestLine: mostText) }
            var records = 0
            while let block = try reader.nextBlock(), records < mostRecords {
                guard let decoder else { continue }
                if let fault = fault(in: block, decoder, &records) { return fault }
            }
        } catch {
            return error.description.isEmpty ? "a fault without words" : nil
        }
        return nil
    }

    private static func fault(
        in block: ContainerReader.Block, _ decoder: EventDecoder, _ records: inout Int
    ) -> String? {
        var at = 0
        var printed = 0
        for _ in 0..<block.count where records < mostRecords && printed < mostText {
            var json: [UInt8] = []
            do throws(DecodingFault) {
                let end = try decoder.decode(block.data, at: at, into: &json)
                guard end >= at, end <= block.data.count else { return "a record ends at \(end)" }
                at = end
            } catch {
                return error.description.isEmpty ? "a fault without words" : nil
            }
            records += 1
            printed += json.count
            let text = ScannedText(json[...])
            let fault = text.forEachLine { line in
                switch line.outcome {
                case .event, .refused(.tooLong): nil
                default: "a record is printed as \(line.outcome)"
                }
            }
            if let fault { return fault }
        }
        return nil
    }
}
