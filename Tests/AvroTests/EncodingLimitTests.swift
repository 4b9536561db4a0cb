import Avro
import Encoding
import Support
import Testing

/// Events that are deep, long, or hard to tell apart.
@Suite struct EncodingLimitTests {
    /// A record that may contain itself, in each way that Avro has.
    private static let recursive = AvroSchema([
        ("next", .union([.null, .named(0)])),
        ("list", .union([.null, .array(of: .named(0))])),
        ("map", .union([.null, .map(of: .union([.null, .named(0)]))])),
    ])

    @Test(
        arguments: [
            (#"{"next":"#, "}", 1, [2], [0, 0]),
            (#"{"list":["#, "]}", 2, [0, 2, 2], [0, 0]),
            (#"{"map":{"":"#, "}}", 2, [0, 0, 2, 2, 0, 2], [0]),
            (#"{"next":{"t.R":"#, "}}", 2, [2], [0, 0]),
        ] as [(String, String, Int, [UInt8], [UInt8])])
    func `The deepest event is encoded`(
        open: String, close: String, levels: Int, before: [UInt8], after: [UInt8]
    ) {
        let count = JSONScanner.deepest / levels - 1
        let event =
            String(repeating: open, count: count) + "{}" + String(repeating: close, count: count)
        let bytes =
            Array(repeatElement(before, count: count).joined()) + [0, 0, 0]
            + Array(repeatElement(after, count: count).joined())
        #expect(EncodedEvent(event, Self.recursive).bytes == bytes)
    }

    @Test func `Unions in unions are not tried for ever`() {
        // Each level doubles the ways to read the one below, and all fail at the end.
        let schema = AvroSchema(
            [("u", .union([.named(1), .named(2)]))],
            [
                .record(
                    AvroRecord(
                        fullName: "t.A",
                        fields: [
                            .init(name: "u", type: .union([.null, .named(1), .named(2)])),
                            .init(name: "x", type: .int),
                        ])),
                .record(
                    AvroRecord(
                        fullName: "t.B",
                        fields: [
                            .init(name: "u", type: .union([.null, .named(1), .named(2)])),
                            .init(name: "x", type: .long),
                        ])),
            ])
        func event(_ depth: Int, _ x: String) -> String {
            String(repeating: #"{"x":\#(x),"u":"#, count: depth) + "null"
                + String(repeating: "}", count: depth)
        }
        #expect(EncodedEvent(event(6, "1.5"), schema).refusal?.path == "u")
        #expect(EncodedEvent(event(6, "5000000000"), schema).refusal == nil)
        let refusal = EncodedEvent(event(500, "1.5"), schema).refusal
        #expect(refusal?.reason.contains("too many branches") == true)
    }

    @Test func `An event that would become too long is refused`() {
        let fields = (0..<1000).map { ("f\($0)", AvroType.union([.null, .string])) }
        let wide = AvroRecord(
            fullName: "t.Wide", fields: fields.map { .init(name: $0.0, type: $0.1) })
        let schema = AvroSchema([("items", .array(of: .named(1)))], [.record(wide)])
        func event(_ items: Int) -> String {
            #"{"items":[{}\#(String(repeating: ",{}", count: items - 1))]}"#
        }
        let fitting = EncodedEvent(event(1000), schema)
        #expect(fitting.refusal == nil)
        #expect(fitting.bytes.count == 2 + 1_000_000 + 1)
        let refused = EncodedEvent(event(100_000), schema)
        #expect(refused.refusal?.description == "it would be longer than 4 MiB in Avro")
        #expect(refused.bytes.isEmpty)
    }

    @Test(arguments: [8, 9, 1000])
    func `Of equal keys the last value is written, where the first stood`(count: Int) {
        let keys = (0..<count).map { $0 % 2 == 0 ? "k\($0)" : "\\u006b\($0)" }
        let first = keys.map { #""\#($0)":1"# }
        let again = (0..<count).map { #""\#($0 % 3 == 0 ? "\\u006b\($0)" : "k\($0)")":\#(-$0)"# }
        let event = #"{"m":{\#((first + again).joined(separator: ","))}}"#
        let last = (0..<count).map { #""k\#($0)":\#(-$0)"# }
        let schema = AvroSchema([("m", .map(of: .int))])
        let encoded = EncodedEvent(event, schema)
        #expect(encoded.refusal == nil)
        #expect(
            encoded.bytes
                == EncodedEvent(#"{"m":{\#(last.joined(separator: ","))}}"#, schema).bytes)
    }

    @Test(arguments: 0...80)
    func `Nothing is read beyond what may be`(length: Int) {
        // The page after the padding cannot be read, so a longer read ends the run.
        let memory = GuardedText(capacity: 4096)
        let schema = AvroSchema([
            ("a", .string), ("é", .union([.null, .string])), ("m", .map(of: .bytes)),
        ])
        let text = String(repeating: "x", count: length)
        let encoder = EventEncoder(schema)
        let output = EncodedBytes()
        for event in [
            #"{"m":{},"a":"\#(text)"}"#, #"{"a":"","m":{"":"\#(text)"}}"#,
            #"{"m":{},"\#(text)":0,"a":""}"#, #"{"a":"","m":{},"é":"\#(text)"}"#,
            #"{"a":[\#(text.map { _ in "1" }.joined(separator: ","))],"m":{"\#(text)":"\u0041"}}"#,
        ] {
            let start = memory.place(Array(event.utf8))
            let refusal = encoder.encode(start, count: event.utf8.count, into: output)
            #expect(refusal == nil)
        }
        #expect(output.count > 5)
    }
}
