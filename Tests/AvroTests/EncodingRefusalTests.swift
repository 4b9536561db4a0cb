import Avro
import Model
import Support
import Testing

/// What is said of an event that its schema does not take.
@Suite struct EncodingRefusalTests {
    private static let schema = AvroSchema(
        [
            ("id", .string),
            ("count", .union([.null, .int])),
            ("items", .array(of: .named(1))),
            ("tags", .map(of: .union([.null, .array(of: .long)]))),
            ("either", .union([.null, .int, .boolean])),
            ("color", .union([.null, .named(2)])),
            ("four", .union([.null, .named(3)])),
        ],
        [
            .record(
                AvroRecord(
                    fullName: "t.Item",
                    fields: [
                        .init(name: "price", type: .int),
                        .init(name: "next", type: .union([.null, .named(1)])),
                    ])),
            .enumeration(AvroEnumeration(fullName: "t.Color", symbols: ["RED"])),
            .fixed(AvroFixed(fullName: "t.Four", size: 4)),
        ])

    /// The event with the members that it needs and these in their place.
    private static func refusal(_ members: String) -> EventRefusal? {
        EncodedEvent(#"{"id":"1","items":[],"tags":{},\#(members)}"#, schema).refusal
    }

    @Test(
        arguments: [
            (#""id":5"#, "its field id is 5, which is no string"),
            (#""id":null"#, "its field id is null, which is no string"),
            (#""count":99999999999"#, "its field count is 99999999999, which is no int"),
            (#""count":{"int":1.5}"#, "its field count is 1.5, which is no int"),
            (#""count":"\u0000\n""#, #"its field count is "\u0000\n", which is no int"#),
            (#""count":[1, 2]"#, "its field count is [1, 2], which is no int"),
            (
                #""items":[{"price":1},{"price":2.5}]"#,
                "its field items[1].price is 2.5, which is no int"
            ),
            (
                #""items":[{"price":1,"next":{"price":2,"next":{"price":true}}}]"#,
                "its field items[0].next.next.price is true, which is no int"
            ),
            (#""items":[{"price":1},7]"#, "its field items[1] is 7, which is no record t.Item"),
            (
                #""items":[{}]"#,
                #"it has no field "items[0].price", which schema t.R (id 7) requires"#
            ),
            (#""items":{}"#, "its field items is {}, which is no array"),
            (
                #""tags":{"a":null,"b\u0020c":[1,"x"]}"#,
                #"its field tags["b\u0020c"][1] is "x", which is no long"#
            ),
            (#""either":"x""#, #"its field either is "x", which no branch of the union takes"#),
            (#""color":"PINK""#, #"its field color is "PINK", which is no symbol of t.Color"#),
            (
                #""four":"abc""#,
                #"its field four is "abc", which is no t.Four (a string of 4 code points up to 255)"#
            ),
        ])
    func `A refusal says where and why`(members: String, said: String) {
        #expect(Self.refusal(members)?.description == said)
    }

    @Test func `A required field that is missing is named with its schema`() {
        let refusal = EncodedEvent(#"{"items":[],"tags":{}}"#, Self.schema).refusal
        #expect(refusal?.path == "id")
        #expect(refusal?.reason == "is missing, which schema t.R (id 7) requires")
        #expect(
            refusal?.description == #"it has no field "id", which schema t.R (id 7) requires"#)
    }

    @Test func `A value is quoted in its first bytes, and its control characters are escaped`() {
        let long = String(repeating: "é", count: 100)
        #expect(
            Self.refusal(#""count":"\#(long)""#)?.reason
                == "is \"\(String(repeating: "é", count: 29))…, which is no int")
        #expect(
            Self.refusal("\"count\":\"\u{7f}\u{85}\u{202e}x\"")?.reason
                == #"is "\u{7f}\u{85}\u{202e}x", which is no int"#)
    }

    @Test func `A long path is cut in its middle`() throws {
        let deep = String(repeating: #"{"price":1,"next":"#, count: 200)
        let event = #""items":[\#(deep)5\#(String(repeating: "}", count: 200))]"#
        let path = try #require(Self.refusal(event)).path
        #expect(path.count == 241)
        #expect(path.hasPrefix("items[0].next.next.") && path.hasSuffix(".next.next"))
        #expect(path.contains("…"))
    }

    @Test func `A refused event leaves the output and the next event as they were`() {
        let encoder = EventEncoder(Self.schema)
        let good = #"{"id":"1","items":[{"price":1}],"tags":{}}"#
        let before = EncodedEvent(good, encoder)
        #expect(before.refusal == nil)
        #expect(
            EncodedEvent(#"{"id":"1","items":[{"price":1},{}],"tags":{}}"#, encoder).bytes == [])
        #expect(EncodedEvent(good, encoder).bytes == before.bytes)
    }

    @Test(
        arguments: [
            (#"{"id":"1","items":[],"tags":{}}"#, 0, nil),
            // What routing has used is known, but only where routing finds it.
            (#"{"event_type":"e","connector":"c","id":"1","items":[],"tags":{}}"#, 0, nil),
            (
                #"{"id":"1","items":[{"price":1,"connector":"c"}],"tags":{},"connecto":0}"#, 2,
                "connecto"
            ),
            (
                #"{"x\u0079":1,"id":"1","z":{},"items":[{"price":1,"q":2}],"tags":{}}"#, 3,
                #"x\u0079"#
            ),
            (
                #"{"id":"1","items":[],"tags":{},"\#(String(repeating: "n", count: 61))":0}"#, 1,
                String(repeating: "n", count: 60) + "…"
            ),
        ] as [(String, Int, String?)])
    func `Members that the schema does not know are counted`(
        event: String, count: Int, name: String?
    ) {
        let encoded = EncodedEvent(event, Self.schema)
        #expect(encoded.refusal == nil)
        #expect(encoded.ignoredMembers == count)
        #expect(encoded.ignoredMember == name)
    }

    @Test(arguments: [1, UInt64.random(in: 0..<1 << 32)])
    func `Members may come in another order in each event`(seed: UInt64) {
        let encoder = EventEncoder(Self.schema)
        var members = [
            #""id":"1""#, #""count":3"#, #""items":[]"#, #""tags":{}"#, #""either":true"#,
            #""a":0"#, #""bb":0"#,
        ]
        var random = SeededGenerator(seed: seed)
        let bytes = EncodedEvent("{\(members.joined(separator: ","))}", encoder).bytes
        #expect(bytes.count == 10)
        for _ in 0..<200 {
            members.shuffle(using: &random)
            let event = EncodedEvent("{\(members.joined(separator: ","))}", encoder)
            #expect(event.bytes == bytes, "seed \(seed): \(members)")
            #expect(event.ignoredMembers == 2)
        }
    }
}
