import Encoding
import Support
import Testing

/// RFC 8259: what is an event, what is not, and where a line is at fault.
@Suite struct JSONGrammarTests {
    @Test(arguments: [
        "{}", "{ }", "{\t}", "{\r}", #"{"":""}"#, #"{"a":1}"#, #"{"a":{},"b":[]}"#,
        #"{"a":[[],[[]],{}]}"#, #"{"a":[1,"x",null,true,false,{"b":[{}]}]}"#,
        #" { "a" : [ 1 , 2 ] , "b" : { "c" : null } } "#, "\t{\r\"a\"\t:\r[\t1\r]\t}\r",
    ])
    func `An object is an event`(text: String) {
        let line = Scanned(text)
        #expect(line.outcome == .event)
        #expect(line.length == text.utf8.count + 1)
    }

    @Test(arguments: [
        "0", "-0", "1", "-1", "10", "1234567890123456789012345678901234567890", "0.0", "-0.5",
        "1.50", "1e5", "1E5", "1e+5", "1e-5", "1.5E+007", "0e0", "1e999", "true", "false", "null",
        #""""#, #""a""#, #""\"\\\/\b\f\n\r\t""#, #""\u0000\uFFFF\uabcd\uD834\udd1e""#,
        "\"\u{7f}\u{80}\u{2028}\u{fffe}\u{10ffff}\"",
    ])
    func `A value of the grammar is taken in any place`(value: String) {
        for text in [
            "{\"a\":\(value)}", "{\"a\": \(value) }", "{\"a\":[\(value)]}",
            "{\"a\":[\(value),\(value) , \(value)],\"b\":\(value)}", "{\"a\":{\"b\":\(value)}}",
        ] {
            #expect(Scanned(text).outcome == .event, "\(text)")
        }
    }

    @Test(arguments: [
        "01", "-01", "+1", "-", "--1", ".5", "1.", "1.e5", "-.5", "1e", "1e+", "1e5.0", "0x10",
        "1_000", "1 2", "NaN", "Infinity", "-Infinity", "True", "TRUE", "nul", "nulll", "tru",
        "truee", "undefined", "'a'", "a", "", "\"", "\"a", #""\"#, #""\""#, #""\a""#, #""\u12"#,
        #""\u123g""#, #""\U0041""#, #""\x41""#, "\"\t\"", "\"\u{0}\"", "\"\u{1f}\"", "\"\r\"", "[",
        "]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1}", "[}", "{", "{]", "{,}", "{\"b\"",
        "{\"b\":", "{\"b\":1", "{\"b\":1,", "{\"b\":1,}", "{b:1}", "{1:1}", "{\"b\",1}",
        "{\"b\" 1}",
        "{\"b\"::1}", "{\"b\":1 \"c\":2}", "{null:1}", "1//c", "1/*c*/", "\u{a0}1", "\u{feff}1",
    ])
    func `Whatever else stands for a value is refused`(value: String) {
        for text in [
            "{\"a\":\(value)}", "{\"a\": \(value) }", "{\"a\":[\(value)  ]}",
            "{\"a\":\(value),\"b\":1}", "{\"a\":\(value)",
        ] where !["{\"a\":[]}", "{\"a\":[  ]}"].contains(text) {
            guard case .refused(.invalidJSON) = Scanned(text).outcome else {
                Issue.record("\(text): \(Scanned(text).outcome)")
                continue
            }
        }
    }

    @Test(arguments: [
        "[]", "[{}]", "1", "\"a\"", "null", "x", "}", ",", "#", "\u{feff}{}", "\u{a0}{}", "\u{0}",
        "\u{b}{}",
    ])
    func `What is valid or not but no object is named so`(text: String) {
        let line = Scanned("  " + text)
        #expect(line.outcome == .refused(.notAnObject))
        #expect(line.bytes == text)
        #expect(line.length == text.utf8.count + 3)
    }

    @Test(arguments: [
        (#"{"a":1}x"#, 8), (#"{"a":1} {}"#, 9), (#"{"a":1}}"#, 8), (#"{"a" 1}"#, 6), ("{a:1}", 2),
        (#"  {"a":1,}"#, 10), (#"{"a":tru}"#, 9), (#"{"a":01}"#, 7), (#"{"a":1.}"#, 8),
        (#"{"a":"b\q"}"#, 9), (#"{"a":"\u12x4"}"#, 11), ("{\"a\":\"b\u{1}c\"}", 8),
        (#"{"a":"b"#, 8),
        (#"{"a"#, 4), ("{", 2), (#"{"a":[1,2"#, 10), (#"{"a":-}"#, 7), (#"{"a":1e+}"#, 9),
        (#"{"a":[1}"#, 8), (#"{"0123456789012345":"0123456789012345"?"#, 39),
    ])
    func `The fault is named by its byte`(text: String, column: Int) {
        #expect(Scanned(text).outcome == .refused(.invalidJSON(column: column)))
    }

    @Test(arguments: 1...40)
    func `A long string is left at its end or its fault, wherever that stands`(length: Int) {
        let plain = String(repeating: "x", count: length)
        #expect(Scanned("{\"a\":\"\(plain)\"}").outcome == .event)
        for (fault, at) in [("\u{1}", 0), ("\\q", 1), ("", 0)] {
            #expect(
                Scanned("{\"a\":\"\(plain)\(fault)").outcome
                    == .refused(.invalidJSON(column: 7 + length + at)))
        }
        // A byte that a borrow of the byte before it could mistake for a special one.
        for pair in ["\"!", "\\\"!", "\\\\]", "\\\"#"] {
            let text = "{\"a\":\"\(plain)\(pair)\",\"b\":1}"
            #expect((Scanned(text).outcome == .event) == (pair != "\"!"), "\(text)")
        }
    }
}

/// Where a line begins and ends, and its limits.
@Suite struct EventLineTests {
    @Test(arguments: ["", " ", "\t", "\r", " \t\r  "])
    func `A line of white space is blank`(text: String) {
        let line = Scanned(text)
        #expect(line.outcome == .blank)
        #expect(line.length == text.utf8.count + 1)
    }

    @Test func `The bytes of an event go from brace to brace`() {
        #expect(Scanned("\t {\"a\": 1 } \r").bytes == "{\"a\": 1 }")
    }

    @Test func `Lines are scanned one after another, each afresh`() {
        let texts = [
            #"{"event_type":"a","connector":"c"}"#, "", "no", "{\"x\":1}\r", #"{"event_type":"b"}"#,
        ]
        let text = GuardedText(capacity: 200).placed(texts.joined(separator: "\n"))
        var line = EventLine()
        var at = 0
        var seen: [(EventLine.Outcome, Bool, Bool)] = []
        for (index, expected) in texts.enumerated() {
            JSONScanner.scan(text.start, from: at, into: &line)
            #expect(line.next - at == expected.utf8.count + 1, "line \(index)")
            at = line.next
            seen.append((line.outcome, line.eventType == .missing, line.connector == .missing))
        }
        #expect(seen.map(\.0) == [.event, .blank, .refused(.notAnObject), .event, .event])
        #expect(seen.map(\.1) == [false, true, true, true, false])
        #expect(seen.map(\.2) == [false, true, true, true, true])
    }

    @Test func `A fault is counted from the start of its own line`() {
        let text = GuardedText(capacity: 100).placed("{\"a\":1}\n  {\"a\":?}\n{\"a\":\"\u{7f}\"}")
        var line = EventLine()
        JSONScanner.scan(text.start, from: 8, into: &line)
        #expect(line.outcome == .refused(.invalidJSON(column: 8)))
        #expect((line.start, line.end, line.next) == (10, 17, 18))
    }

    @Test(arguments: [("[", "]"), (#"{"a":"#, "}")])
    func `512 levels are taken, 513 are not`(open: String, close: String) {
        func text(_ levels: Int) -> String {
            // The event is the first level.
            let inner = levels - 1
            return "{\"x\":" + String(repeating: open, count: inner) + (open == "[" ? "" : "1")
                + String(repeating: close, count: inner) + "}"
        }
        #expect(Scanned(text(512)).outcome == .event)
        #expect(Scanned(text(513)).outcome == .refused(.tooDeep))
        #expect(Scanned(text(5000)).outcome == .refused(.tooDeep))
        #expect(Scanned(text(5000)).length == text(5000).utf8.count + 1)
    }

    @Test func `Levels beside each other do not add up`() {
        let inner = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        let mixed = (0..<250).map { _ in "[{\"a\":" }.joined() + "1"
        let text =
            "{\"x\":\(inner),\"y\":\(inner),\"z\":\(mixed)" + String(repeating: "}]", count: 250)
            + "}"
        #expect(Scanned(text).outcome == .event)
        // Crossed brackets at the depth where a new word of bits begins.
        for depth in [62, 63, 64, 65, 127, 128, 129] {
            let open = (0..<depth).map { $0 % 3 == 0 ? "{\"a\":" : "[" }
            let close = open.reversed().map { $0 == "[" ? "]" : "}" }
            #expect(
                Scanned("{\"x\":" + open.joined() + "1" + close.joined() + "}").outcome == .event)
            var wrong = close
            wrong[0] = wrong[0] == "]" ? "}" : "]"
            let text = "{\"x\":" + open.joined() + "1" + wrong.joined() + "}"
            #expect(
                Scanned(text).outcome
                    == .refused(.invalidJSON(column: 5 + open.joined().utf8.count + 2)))
        }
    }

    @Test
    func `An event of 900,000 bytes is taken, one more is not, and space around it does not count`()
    {
        func text(_ count: Int) -> String {
            "{\"a\":\"" + String(repeating: "x", count: count - 8) + "\"}"
        }
        #expect(Scanned("   " + text(900_000) + "  \r").outcome == .event)
        let refused = Scanned(text(900_001))
        #expect(refused.outcome == .refused(.tooLong))
        #expect(refused.bytes == text(900_001))
        #expect(refused.length == 900_002)
    }

    @Test func `Each fault says what is wrong`() {
        #expect(LineFault.notAnObject.description == "not a JSON object")
        #expect(
            LineFault.invalidJSON(column: 7).description == "invalid JSON at byte 7 of the line")
        #expect(
            LineFault.invalidUTF8(column: 7).description == "invalid UTF-8 at byte 7 of the line")
        #expect(LineFault.tooDeep.description == "nested deeper than 512 levels")
        #expect(LineFault.tooLong.description == "longer than 900000 bytes")
    }
}

/// A text in guarded memory that lives as long as this does.
struct PlacedText {
    let memory: GuardedText
    let start: UnsafePointer<UInt8>
}

extension GuardedText {
    func placed(_ text: String) -> PlacedText {
        PlacedText(memory: self, start: place(Array(text.utf8)))
    }
}
