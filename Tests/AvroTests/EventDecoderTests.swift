import Support
import Testing

@testable import Avro

struct EventDecoderTests {
    /// The schema of a record with one field "a" of this type.
    static func schema(of type: String) throws -> AvroSchema {
        try AvroSchema(
            json: Array(
                """
                {"type": "record", "name": "R", "fields": [{"name": "a", "type": \(type)}]}
                """.utf8))
    }

    /// The JSON of the record that the data begins with, and how many bytes it took.
    static func decode(
        _ data: [UInt8], _ schema: AvroSchema
    ) throws(DecodingFault) -> (text: String, length: Int) {
        var text: [UInt8] = []
        let end = try EventDecoder(schema).decode(data, at: 0, into: &text)
        return (String(decoding: text, as: UTF8.self), end)
    }

    static let values: [(type: String, data: [UInt8], json: String)] = [
        (#""null""#, [], "null"),
        (#""boolean""#, [0], "false"), (#""boolean""#, [1], "true"),
        (#""int""#, [0xff, 0xff, 0xff, 0xff, 0x0f], "-2147483648"),
        (#""long""#, [0xfe] + Array(repeating: 0xff, count: 8) + [1], "9223372036854775807"),
        (#""float""#, [0, 0, 0xa0, 0x40], "5.0"),
        (#""float""#, [0xcd, 0xcc, 0xcc, 0x3d], "0.1"),
        (#""float""#, [0, 0, 0xc0, 0x7f], #""NaN""#),
        (#""float""#, [0, 0, 0x80, 0xff], #""-Infinity""#),
        (#""double""#, [0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f], "0.1"),
        (#""double""#, [1, 0, 0, 0, 0, 0, 0, 0], "5e-324"),
        (#""double""#, [0, 0, 0, 0, 0, 0, 0, 0x80], "-0.0"),
        (#""double""#, [0, 0, 0, 0, 0, 0, 0xf0, 0x7f], #""Infinity""#),
        (#""bytes""#, [10, 0, 0x41, 0x22, 0x7f, 0xff], #""\u0000A\"\u007f\u00ff""#),
        (#""string""#, [0], #""""#),
        (#""string""#, [16] + Array("é\n\\\u{1F600}".utf8)[...7], #""é\n\\\#u{1F600}""#),
        (#""string""#, [8] + Array("\u{85}\u{A0}".utf8), #""\u0085\#u{A0}""#),
        (#"{"type": "array", "items": "int"}"#, [0], "[]"),
        (#"{"type": "array", "items": "int"}"#, [4, 2, 4, 2, 6, 0], "[1,2,3]"),
        (#"{"type": "array", "items": "int"}"#, [3, 4, 2, 4, 1, 2, 6, 0], "[1,2,3]"),
        (
            #"{"type": "map", "values": "int"}"#, [2, 2, 0x62, 2, 1, 6, 2, 0x63, 3, 0],
            #"{"b":1,"c":-2}"#
        ),
        (#"["null", "string"]"#, [0], "null"),
        (#"["null", "string"]"#, [2, 2, 0x62], #""b""#),
        (#"{"type": "enum", "name": "E", "symbols": ["X", "Y"]}"#, [2], #""Y""#),
        (#"{"type": "fixed", "name": "F", "size": 2}"#, [0x61, 0x80], #""a\u0080""#),
        (#"{"type": "long", "logicalType": "timestamp-millis"}"#, [2], "1"),
        (#"["null", "R"]"#, [2, 2, 0], #"{"a":{"a":null}}"#),
    ]

    @Test(arguments: values)
    func `Each type has its JSON`(type: String, data: [UInt8], json: String) throws {
        let decoded = try Self.decode(data + [9], Self.schema(of: type))
        #expect(decoded.text == #"{"a":\#(json)}"#)
        #expect(decoded.length == data.count)
    }

    @Test(arguments: values)
    func `Data that ends early is truncated, wherever`(
        type: String, data: [UInt8], json: String
    ) throws {
        let schema = try Self.schema(of: type)
        for length in data.indices {
            let fault = #expect(throws: DecodingFault.self) {
                try Self.decode(Array(data.prefix(length)), schema)
            }
            #expect(fault?.problem == .truncated)
            #expect(fault?.path.first == "a")
        }
    }

    @Test(
        arguments: [
            (#""boolean""#, [2], .impossible("a boolean", 2), 0),
            (#""int""#, [0x80, 0x80, 0x80, 0x80, 0x10], .impossible("an int", 1 << 31), 0),
            (#""long""#, Array(repeating: 0xff, count: 10), .noLong, 0),
            (#""string""#, [1], .impossible("a length", -1), 0),
            (#""string""#, [0xfe] + Array(repeating: 0xff, count: 8) + [1], .truncated, 10),
            (#""string""#, [2, 0xff], .noText, 0),
            (#"["null"]"#, [2], .impossible("a union's branch", 1), 0),
            (#"["null"]"#, [1], .impossible("a union's branch", -1), 0),
            (
                #"{"type": "enum", "name": "E", "symbols": ["X"]}"#, [2],
                .impossible("an enum's index", 1), 0
            ),
            (
                #"{"type": "array", "items": "null"}"#, Array(repeating: 0xff, count: 9) + [1],
                .impossible("a count", .min), 0
            ),
            (
                #"{"type": "array", "items": "int"}"#, [1, 4, 2, 0], .impossible("a size", 2), 0
            ),
            (
                #"{"type": "array", "items": "int"}"#, [1, 1, 2, 0], .impossible("a size", -1), 1
            ),
        ] as [(String, [UInt8], DecodingFault.Problem, Int)])
    func `What cannot be is a fault with its place`(
        type: String, data: [UInt8], problem: DecodingFault.Problem, offset: Int
    ) throws {
        let fault = #expect(throws: DecodingFault.self) {
            try Self.decode(data, Self.schema(of: type))
        }
        #expect(fault == DecodingFault(problem: problem, offset: offset, path: ["a"]))
    }

    @Test func `A fault names the way to its value`() throws {
        let inner =
            #"{"type": "record", "name": "S", "fields": [{"name": "b", "type": "boolean"}]}"#
        let fault = #expect(throws: DecodingFault.self) {
            try Self.decode(
                [4, 1, 7], Self.schema(of: #"{"type": "array", "items": \#(inner)}"#))
        }
        #expect(fault?.path == ["a", "1", "b"])
        #expect(fault?.description == "field a.1.b: a boolean of 7 cannot be")
    }

    @Test func `Depth is bounded`() throws {
        let schema = try Self.schema(of: #"["null", "R"]"#)
        let deepest = [UInt8](repeating: 2, count: EventDecoder.deepest - 1) + [0]
        let decoded = try Self.decode(deepest, schema)
        #expect(decoded.text.hasSuffix(String(repeating: "}", count: EventDecoder.deepest)))
        let fault = #expect(throws: DecodingFault.self) { try Self.decode([2] + deepest, schema) }
        #expect(fault?.problem == .tooDeep)
        #expect(fault?.offset == EventDecoder.deepest)
    }

    @Test(.timeLimit(.minutes(1)))
    func `Items that take no bytes do not fill the memory`() throws {
        var data: [UInt8] = []
        VariableLong.append(.max, to: &data)
        let schema = try Self.schema(of: #"{"type": "array", "items": "null"}"#)
        var text: [UInt8] = []
        let fault = #expect(throws: DecodingFault.self) {
            try EventDecoder(schema, longestLine: 1000).decode(data, at: 0, into: &text)
        }
        #expect((1000..<1100).contains(text.count))
        #expect(fault?.problem == .tooLong)
    }
}
