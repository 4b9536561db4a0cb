import Avro
import Model
import Testing

@testable import Digest

/// Transforms of an event's own fields.
@Suite struct EncodingTransformTests {
    private static let redacted = [UInt8(20)] + Array("[REDACTED]".utf8)
    private static func hash(_ text: String) -> [UInt8] {
        [0x80, 1] + Array(SHA256.digest(of: text).hex.utf8)
    }

    @Test(
        arguments: [
            (.remove, .string, #""x""#, redacted),
            (.remove, .string, "5", redacted),
            (.remove, .string, #"{"a":1}"#, redacted),
            (.remove, .string, "null", nil),
            (.remove, .union([.null, .string]), #""x""#, [2] + redacted),
            (.remove, .union([.string, .null]), #"{"string":"x"}"#, [0] + redacted),
            (.remove, .union([.null, .string]), "null", [0]),
            (.remove, .union([.int, .string]), "1", [2] + redacted),
            (.remove, .union([.int, .null]), "1", [2]),
            (.remove, .union([.null, .map(of: .int)]), #"{"a":1}"#, [0]),
            (.remove, .null, "1", []),
            (.hash, .string, #""x\u0079""#, hash("xy")),
            (.hash, .string, #""""#, hash("")),
            (.hash, .string, #"{ "a":"\u0079" }"#, hash(#"{ "a":"\u0079" }"#)),
            (.hash, .string, "5", hash("5")),
            (.hash, .string, "null", nil),
            (.hash, .union([.null, .string]), "null", [0]),
            (.hash, .union([.null, .string]), #""x""#, [2] + hash("x")),
            (.hash, .union([.string, .null]), "[]", [0] + hash("[]")),
            (.hash, .union([.string, .null]), #"{"string":"x"}"#, [0] + hash("x")),
            (.hash, .union([.string, .null]), #"{"string":5}"#, [0] + hash(#"{"string":5}"#)),
        ] as [(Transforms.Action, AvroType, String, [UInt8]?)])
    func `A field is transformed as its type allows`(
        action: Transforms.Action, type: AvroType, value: String, bytes: [UInt8]?
    ) {
        let transforms = Transforms(["f": action])
        let schema = AvroSchema([("f", type)])
        #expect(EventEncoder.unfit(schema, transforms).isEmpty)
        let event = EncodedEvent(#"{"f":"first","f":\#(value)}"#, schema, transforms)
        #expect(event.bytes == bytes ?? [])
        #expect((event.refusal == nil) == (bytes != nil))
    }

    @Test func `A missing field stays null, or is missed`() {
        let transforms = Transforms(["a": .remove, "b": .hash, "c": .remove])
        let schema = AvroSchema([
            ("a", .union([.null, .string])), ("b", .union([.string, .null])),
            ("c", .union([.null, .int])),
        ])
        #expect(EncodedEvent("{}", schema, transforms).bytes == [0, 2, 0])
        let needed = EncodedEvent("{}", AvroSchema([("a", .string)]), transforms)
        #expect(needed.refusal?.path == "a")
    }

    @Test func `Only fields of the event itself are transformed`() {
        let schema = AvroSchema([
            ("f", .string), ("r", .union([.null, .named(0)])), ("g", .string),
        ])
        let event = EncodedEvent(
            #"{"f":"x","g":"y","r":{"f":"x","g":"y"}}"#, schema,
            Transforms(["f": .remove, "other": .hash]))
        #expect(event.bytes == Self.redacted + [2, 2, 120, 0, 2, 121, 2, 121])
    }

    @Test(
        arguments: [
            (.remove, .int, "is neither a string nor nullable, so it cannot be removed"),
            (
                .remove, .union([.int, .boolean]),
                "is neither a string nor nullable, so it cannot be removed"
            ),
            (.hash, .bytes, "is no string, so it cannot take the hash"),
            (.hash, .union([.null, .int]), "is no string, so it cannot take the hash"),
        ] as [(Transforms.Action, AvroType, String)])
    func `A transform that its field cannot carry is known beforehand`(
        action: Transforms.Action, type: AvroType, reason: String
    ) {
        let schema = AvroSchema([("g", .null), ("f", type)])
        let transforms = Transforms(["f": action, "absent": .hash])
        let unfit = EventEncoder.unfit(schema, transforms)
        #expect(unfit.map(\.field) == ["f"])
        #expect(unfit.map(\.reason) == [reason])
        for event in [#"{"f":"secret"}"#, "{}", #"{"f":null}"#] {
            #expect(
                EncodedEvent(event, schema, transforms).refusal?.description
                    == "its field f \(reason)")
        }
    }
}
