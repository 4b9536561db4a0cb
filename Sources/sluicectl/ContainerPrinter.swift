import Avro
import Model

/// Prints what is in an Avro container.
struct ContainerPrinter: ~Copyable {
    private var reader: ContainerReader

    init(_ bytes: ObjectBytes) throws(Refusal) {
        do throws(ContainerFault) {
            reader = try ContainerReader { () throws(ObjectBytes.Unreadable) in try bytes.next() }
        } catch {
            throw Refusal(error.description)
        }
    }

    var schema: String { reader.schema }

    /// As a connector's `compression` calls it.
    var compression: String {
        switch reader.codec {
        case .null: "none"
        case .deflate, .zstandard: reader.codec.rawValue
        }
    }

    mutating func printEvents(to output: inout BufferedOutput) throws(Refusal) {
        let decoder: EventDecoder
        do throws(SchemaFault) {
            decoder = EventDecoder(try AvroSchema(json: Array(reader.schema.utf8)))
        } catch {
            throw Refusal("its schema is none that is read here: \(error)")
        }
        while let block = try nextBlock() { try print(block, decoder, to: &output) }
    }

    private func print(
        _ block: ContainerReader.Block, _ decoder: EventDecoder, to output: inout BufferedOutput
    ) throws(Refusal) {
        var position = 0
        for record in 0..<block.count {
            do throws(DecodingFault) {
                position = try output.append { text throws(DecodingFault) in
                    let start = text.count
                    do throws(DecodingFault) {
                        let end = try decoder.decode(block.data, at: position, into: &text)
                        text.append(UInt8(ascii: "\n"))
                        return end
                    } catch {
                        // Half a line is none.
                        text.removeSubrange(start...)
                        throw error
                    }
                }
            } catch {
                throw Refusal(
                    "in the block at byte \(block.offset), record \(record + 1) of \(block.count): "
                        + "\(error)")
            }
            try output.flushIfFull()
        }
        guard position == block.data.count else {
            throw Refusal(
                "in the block at byte \(block.offset), \(block.data.count - position) bytes follow "
                    + "its \(Findings.count(block.count, "record"))")
        }
    }

    /// What the header says, the schema apart, and what is counted. The records themselves are not looked at.
    mutating func members() throws(Refusal) -> [(String, JSONText)] {
        var (events, blocks) = (0, 0)
        while let block = try nextBlock() {
            events += block.count
            blocks += 1
        }
        let metadata = reader.metadata.filter { $0.name != "avro.schema" }.map { pair in
            (pair.name, JSONText.string(String(decoding: pair.value, as: UTF8.self)))
        }
        return [
            ("events", .integer(events)), ("blocks", .integer(blocks)),
            ("metadata", .object(metadata)),
        ]
    }

    private mutating func nextBlock() throws(Refusal) -> ContainerReader.Block? {
        do throws(ContainerFault) {
            return try reader.nextBlock()
        } catch {
            throw Refusal(error.description)
        }
    }
}
