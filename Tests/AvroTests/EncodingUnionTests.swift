import Avro
import Testing

/// Which branch of a union a value is written as.
@Suite struct EncodingUnionTests {
    private static let named: [NamedType] = [
        .record(AvroRecord(fullName: "t.A", fields: [.init(name: "x", type: .int)])),
        .record(AvroRecord(fullName: "t.B", fields: [.init(name: "x", type: .string)])),
        .enumeration(AvroEnumeration(fullName: "t.E", symbols: ["ON", "OFF"])),
        .fixed(AvroFixed(fullName: "t.F", size: 2)),
    ]
    private static let a = AvroType.named(1)
    private static let b = AvroType.named(2)
    private static let e = AvroType.named(3)
    private static let f = AvroType.named(4)
    private static func text(_ text: String) -> [UInt8] {
        [UInt8(2 * text.utf8.count)] + Array(text.utf8)
    }

    @Test(
        arguments: [
            ([.null, .string], "null", [0]),
            ([.null, .string], #""ab""#, [2] + text("ab")),
            ([.string, .null], #""ab""#, [0] + text("ab")),
            ([.string, .null], "null", [2]),
            ([.string], #""ab""#, [0] + text("ab")),
            ([.null, .string], "5", nil),
            ([.string, .int], "null", nil),
            // The first branch that takes the value.
            ([.int, .long, .double], "1", [0, 2]),
            ([.int, .long], "4294967296", [2, 0x80, 0x80, 0x80, 0x80, 0x20]),
            ([.int, .double], "1.5", [2, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f]),
            ([.double, .int], "1", [0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
            ([.int, .boolean], "1.5", nil),
            ([.bytes, .string], #""é""#, [0, 2, 0xe9]),
            ([.bytes, .string], #""€""#, [2] + text("€")),
            ([e, f, .string], #""OFF""#, [0, 2]),
            ([e, f, .string], #""no""#, [2, 110, 111]),
            ([e, f, .string], #""maybe""#, [4] + text("maybe")),
            ([e, .null], #""maybe""#, nil),
            ([a, b], #"{"x":1}"#, [0, 2]),
            ([a, b], #"{"x":"s"}"#, [2] + text("s")),
            ([.map(of: .int), a], #"{"x":1}"#, [0, 2] + text("x") + [2, 0]),
            ([.array(of: .int), .null], "[]", [0, 0]),
            // What a failed branch has written is taken back.
            (
                [.array(of: .int), .array(of: .string)], #"[1,2,"s"]"#, nil
            ),
            (
                [.map(of: .int), .map(of: .union([.int, .string]))], #"{"k":1,"l":"s"}"#,
                [2, 4] + text("k") + [0, 2] + text("l") + [2] + text("s") + [0]
            ),
            // Text of an object or array comes last.
            ([.string, .map(of: .int)], #"{"k":1}"#, [2, 2] + text("k") + [2, 0]),
            ([.string, .map(of: .int)], #"{"k":"v"}"#, [0] + text(#"{"k":"v"}"#)),
            ([.null, .string, .array(of: .int)], "[1.5]", [2] + text("[1.5]")),
            ([.null, .string, .array(of: .int)], "[1]", [4, 2, 2, 0]),
            // Avro's own JSON form.
            ([.null, .string], #"{"string":"x"}"#, [2] + text("x")),
            ([.null, .string], #"{ "str\u0069ng" : "x" }"#, [2] + text("x")),
            ([.null, .string], #"{"null":null}"#, [0]),
            ([.null, .string], #"{"string":5}"#, [2] + text(#"{"string":5}"#)),
            ([.null, .string], #"{"string":[]}"#, [2] + text(#"{"string":[]}"#)),
            (
                [.null, .string], #"{"string":"x","y":1}"#,
                [2] + text(#"{"string":"x","y":1}"#)
            ),
            ([.null, .string], "{}", [2] + text("{}")),
            ([.int, .long], #"{"long":1}"#, [2, 2]),
            ([.int, .long], #"{"int":4294967296}"#, nil),
            ([.null, .int], #"{"int":4294967296}"#, nil),
            ([.null, .int], #"{"long":1}"#, nil),
            ([.string, .bytes], #"{"bytes":"ÿ"}"#, [2, 2, 255]),
            ([a, b], #"{"t.B":{"x":"s"}}"#, [2] + text("s")),
            ([a, b], #"{"B":{"x":"s"}}"#, [2] + text("s")),
            ([a, b], #"{"t.A":{"x":"s"}}"#, nil),
            ([.null, e], #"{"E":"OFF"}"#, [2, 2]),
            ([.null, f], #"{"t.F":"no"}"#, [2, 110, 111]),
            ([.null, .array(of: .int)], #"{"array":[1]}"#, [2, 2, 2, 0]),
            // A map whose only key is a branch's name is that branch where it can be, else a map.
            ([.map(of: .int), .int], #"{"int":1}"#, [2, 2]),
            ([.map(of: .int), .null], #"{"map":1}"#, [0, 2] + text("map") + [2, 0]),
            ([.map(of: .int), .null], #"{"map":{"k":1}}"#, [0, 2] + text("k") + [2, 0]),
        ] as [([AvroType], String, [UInt8]?)])
    func `A union is written as a branch`(branches: [AvroType], value: String, bytes: [UInt8]?) {
        let schema = AvroSchema([("u", .union(branches)), ("z", .boolean)], Self.named)
        let event = EncodedEvent(#"{"z":true,"u":\#(value)}"#, schema)
        #expect(event.refusal.map(\.path) == (bytes == nil ? "u" : nil))
        #expect(event.bytes == (bytes.map { $0 + [1] } ?? []))
    }

    @Test func `Members that a failed branch did not know are not counted`() {
        let schema = AvroSchema([("u", .union([Self.a, Self.b]))], Self.named)
        let event = EncodedEvent(#"{"u":{"p":1,"q":2,"x":"s"},"r":3}"#, schema)
        #expect(event.refusal == nil)
        #expect(event.ignoredMembers == 3)
        #expect(event.ignoredMember == "r")
    }

    @Test func `A long branch is taken back though the memory has grown`() {
        let schema = AvroSchema([
            ("s", .string),
            ("u", .union([.array(of: .string), .array(of: .union([.int, .string]))])),
        ])
        let long = String(repeating: "x", count: 30_000)
        let event = EncodedEvent(#"{"s":"é","u":["\#(long)","\#(long)",1]}"#, schema)
        #expect(event.refusal == nil)
        #expect(event.bytes.prefix(5) == [4, 0xc3, 0xa9, 2, 6])
        #expect(event.bytes.count == 5 + 2 * (1 + 3 + 30_000) + 2 + 1)
    }
}
