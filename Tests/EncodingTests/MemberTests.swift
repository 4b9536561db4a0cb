import Encoding
import Testing

/// The members that routing reads, and how their text is read.
@Suite struct MemberTests {
    @Test(
        arguments: [
            (#"{}"#, .missing, .missing),
            (#"{"event_type":"a.B"}"#, .string("a.B"), .missing),
            (#"{ "event_type" : "a" , "connector" : "c" }"#, .string("a"), .string("c")),
            (#"{"connector":"c","x":[1,{"y":2}],"event_type":"a"}"#, .string("a"), .string("c")),
            (#"{"event_type":"","connector":[]}"#, .string(""), .other("[]")),
            (
                #"{"event_type":null,"connector":["a", "b"]}"#, .other("null"),
                .other(#"["a", "b"]"#)
            ),
            (
                #"{"event_type": -1.5e3 ,"connector":{"a":{"connector":"x"}} }"#,
                .other("-1.5e3"), .other(#"{"a":{"connector":"x"}}"#)
            ),
            (#"{"event_type":{},"connector":[[],[{}]]}"#, .other("{}"), .other("[[],[{}]]")),
            // The last of a name counts.
            (#"{"event_type":"a","event_type":"b"}"#, .string("b"), .missing),
            (#"{"event_type":"a","event_type":[1]}"#, .other("[1]"), .missing),
            (#"{"event_type":[1],"event_type":"b"}"#, .string("b"), .missing),
            (#"{"connector":{"a":1},"connector":true}"#, .missing, .other("true")),
            (#"{"connector":["a"],"connector":["b","c"]}"#, .missing, .other(#"["b","c"]"#)),
            // Members of members are somebody else's.
            (#"{"a":{"event_type":"x","connector":"y"}}"#, .missing, .missing),
            (
                #"{"event_type":"a","b":{"event_type":"x"},"c":[{"event_type":"y"}]}"#,
                .string("a"), .missing
            ),
            (
                #"{"event_type":{"event_type":"x","connector":"y"}}"#,
                .other(#"{"event_type":"x","connector":"y"}"#), .missing
            ),
            (
                #"{"connector":[{"connector":"x"},"event_type"],"z":"event_type"}"#,
                .missing, .other(#"[{"connector":"x"},"event_type"]"#)
            ),
            // Names are compared as what they stand for.
            (#"{"event\u005ftype":"a","\u0063onnector":"c"}"#, .string("a"), .string("c")),
            (#"{"event_type":"a","\u0065vent_type":"b"}"#, .string("b"), .missing),
            (#"{"event\\u005ftype":"a"}"#, .missing, .missing),
            (
                #"{"Event_type":"a","event_type ":"b","event_typ":"c","connector\u0000":"d"}"#,
                .missing, .missing
            ),
            // So are values.
            (
                #"{"event_type":"a\u002eb\/\"","connector":"\ud83d\ude80\t"}"#,
                .string("a.b/\""), .string("🚀\t")
            ),
        ] as [(String, Scanned.Value, Scanned.Value)])
    func `event_type and connector are found`(
        text: String, eventType: Scanned.Value, connector: Scanned.Value
    ) {
        let line = Scanned(text)
        #expect(line.outcome == .event)
        #expect(line.eventType == eventType)
        #expect(line.connector == connector)
    }

    @Test(arguments: [
        ("", ""), ("plain", "plain"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
        (#"\u0041\u00e9\u20AC"#, "Aé€"), (#"\ud834\udd1e"#, "𝄞"), (#"x\uD83D\uDE80y"#, "x🚀y"),
        (#"\u0000"#, "\u{0}"), (#"\uffff"#, "\u{ffff}"),
        // Halves of a pair that stand alone.
        (#"\ud834"#, "\u{fffd}"), (#"\udd1e"#, "\u{fffd}"), (#"\udd1e\ud834"#, "\u{fffd}\u{fffd}"),
        (#"\ud834x"#, "\u{fffd}x"), (#"\ud834\u0041"#, "\u{fffd}A"), (#"\ud834\n"#, "\u{fffd}\n"),
        (#"\ud834\ud834\udd1e"#, "\u{fffd}𝄞"), (#"\ud834é"#, "\u{fffd}é"),
    ])
    func `Escapes stand for their characters`(text: String, plain: String) {
        let result = Array(text.utf8).withUnsafeBufferPointer { JSONText.unescape($0) }
        #expect(result == Array(plain.utf8))
    }

    @Test(
        arguments: [
            ("[]", []), (#"["a"]"#, ["a"]), ("[ \"a\"\t,\r\"b\" ]", ["a", "b"]),
            (#"["a,b","]","\"","\\","\u0061"]"#, ["a,b", "]", "\"", "\\", "a"]), (#"[""]"#, [""]),
            ("null", nil), ("1", nil), ("{}", nil), ("[1]", nil), (#"["a",null]"#, nil),
            (#"["a",["b"]]"#, nil), (#"[{"a":"b"}]"#, nil), (#"{"a":["b"]}"#, nil),
        ] as [(String, [String]?)])
    func `An array of strings is read, and nothing else`(text: String, strings: [String]?) {
        let result = Array(text.utf8).withUnsafeBufferPointer { JSONText.strings($0) }
        #expect(result == strings?.map { Array($0.utf8) })
    }
}
