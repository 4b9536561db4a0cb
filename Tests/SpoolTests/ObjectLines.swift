import Avro
import Testing

/// The events of an object.
func lines(_ body: [UInt8]) -> [Substring] {
    guard body.starts(with: ContainerHeader.magic) else {
        return String(decoding: unpack(body), as: UTF8.self).split(separator: "\n")
    }
    var lines: [Substring] = []
    do {
        var rest: [UInt8]? = body
        var reader = try ContainerReader { () throws(ContainerReader.Unreadable) in
            rest.take() ?? []
        }
        let decoder = EventDecoder(try AvroSchema(json: Array(reader.schema.utf8)))
        while let block = try reader.nextBlock() {
            var position = 0
            for _ in 0..<block.count {
                var line: [UInt8] = []
                position = try decoder.decode(block.data, at: position, into: &line)
                lines.append(Substring(decoding: line, as: UTF8.self))
            }
        }
    } catch {
        Issue.record("an object cannot be read: \(error)", severity: .error)
    }
    return lines
}
