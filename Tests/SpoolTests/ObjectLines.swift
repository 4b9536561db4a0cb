import Avro
import Deflate
import Testing

/// The events of an object.
func lines(_ body: [UInt8]) -> [Substring] {
    guard body.starts(with: ContainerHeader.magic) else {
        return gunzip(body).split(separator: "\n")
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

private func gunzip(_ bytes: [UInt8]) -> String {
    var reader = GzipReader()
    var text = [UInt8](repeating: 0, count: 1 << 16)
    let done = try? bytes.withUnsafeBytes { input in
        try text.withUnsafeMutableBytes { try reader.read(input, into: $0) }
    }
    return String(decoding: text.prefix(done?.produced ?? 0), as: UTF8.self)
}
