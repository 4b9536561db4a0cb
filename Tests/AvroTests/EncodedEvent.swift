import Avro
import Encoding
import Model

/// What an encoder makes of an event, with what follows it in memory as in a real file.
struct EncodedEvent {
    let bytes: [UInt8]
    let refusal: EventRefusal?
    let ignoredMembers: Int
    let ignoredMember: String?

    init(_ event: String, _ schema: AvroSchema, _ transforms: Transforms = Transforms()) {
        self.init(event, EventEncoder(schema, transforms))
    }

    init(_ event: String, _ encoder: EventEncoder) {
        let output = EncodedBytes()
        let text = Array(event.utf8) + [10] + [UInt8](repeating: 0, count: JSONScanner.padding)
        refusal = text.withUnsafeBufferPointer { text in
            var line = EventLine()
            JSONScanner.scan(text.baseAddress!, from: 0, into: &line)
            precondition(line.outcome == .event, "a test's event is none: \(event)")
            return encoder.encode(
                text.baseAddress! + line.start, count: line.end - line.start, into: output)
        }
        bytes = Array(output.bytes)
        ignoredMembers = encoder.ignoredMembers
        ignoredMember = encoder.ignoredMember
    }
}

extension AvroSchema {
    /// A schema made by hand: its root is `t.R`.
    init(_ fields: [(String, AvroType)], _ others: [NamedType] = []) {
        let root = AvroRecord(
            fullName: "t.R", fields: fields.map { AvroRecord.Field(name: $0, type: $1) })
        self.init(
            types: [.record(root)] + others, text: "{}", canonicalForm: "", fingerprint: 0, id: 7)
    }
}
