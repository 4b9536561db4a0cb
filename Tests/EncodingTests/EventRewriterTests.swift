import Encoding
import Model
import Support
import Testing

/// Transforms of events that stay JSON.
@Suite struct EventRewriterTests {
    private static let transforms = Transforms(["gone": .remove, "mail": .hash, "né": .hash])
    private static let removed = #""[REDACTED]""#

    /// SHA-256 by Python's hashlib.
    private static let digests = [
        "a@b": "7508d8b5018ea640b85269861a101203f0c26900555268e930025dac844b0f35",
        "1.50": "1a60b208ff491c3e2d21cdd5abb003e51e97b072efec59098863da45021de6a9",
        #"{ "a": "x" }"#: "b5708675dd6af37f61127b05d4a4ca5ac5a95a37db18e567ffd15bd94e7efb8a",
        "": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "é\t🚀": "9583507885cc2496ce36161a092d1597945cae663adaedfc8652594b664db185",
        "true": "b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b",
        "[]": "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
    ]

    private static func hashed(_ text: String) -> String { "\"\(digests[text]!)\"" }

    @Test(
        arguments: [
            ("{}", "{}"),
            (#"{ "other" : [ 1 ] }"#, #"{ "other" : [ 1 ] }"#),
            (#"{"gone":"x"}"#, #"{"gone":\#(removed)}"#),
            (#"{ "gone" : "x" , "a":1.0 }"#, #"{ "gone" : \#(removed) , "a":1.0 }"#),
            (
                #"{"gone":5,"b":{"gone":5},"gone":[{"gone":"]"}]}"#,
                #"{"gone":\#(removed),"b":{"gone":5},"gone":\#(removed)}"#
            ),
            (#"{"gone":null,"mail":null}"#, #"{"gone":null,"mail":null}"#),
            (#"{"\u0067one":"x","gon":"x"}"#, #"{"\u0067one":\#(removed),"gon":"x"}"#),
            (#"{"mail":"a@b","x":"a@b"}"#, #"{"mail":\#(hashed("a@b")),"x":"a@b"}"#),
            (#"{"mail":"\u0061@\u0062"}"#, #"{"mail":\#(hashed("a@b"))}"#),
            (#"{"mail":""}"#, #"{"mail":\#(hashed(""))}"#),
            (#"{"mail":1.50 }"#, #"{"mail":\#(hashed("1.50")) }"#),
            (
                #"{"mail": { "a": "x" },"mail":true}"#,
                #"{"mail": \#(hashed(#"{ "a": "x" }"#)),"mail":\#(hashed("true"))}"#
            ),
            (#"{"n\u00e9":"é\t\ud83d\ude80"}"#, #"{"n\u00e9":\#(hashed("é\t🚀"))}"#),
            (#"{"né":[]}"#, #"{"né":\#(hashed("[]"))}"#),
            (#"{"é":"gone","a":"\"gone\":1"}"#, #"{"é":"gone","a":"\"gone\":1"}"#),
        ])
    func `Only the values of the named members are replaced`(event: String, rewritten: String) {
        #expect(Self.rewrite(event, Self.transforms) == rewritten)
    }

    @Test func `Events are appended, and memory is used again`() {
        let memory = GuardedText(capacity: 1 << 16)
        let output = EncodedBytes()
        let rewriter = EventRewriter(Self.transforms)
        let long = #"{"a":"\#(String(repeating: "x", count: 20_000))","gone":1}"#
        for event in [long, "{}"] {
            rewriter.rewrite(memory.place(Array(event.utf8)), count: event.utf8.count, into: output)
        }
        let written = String(decoding: output.bytes, as: UTF8.self)
        #expect(written == long.dropLast(2) + "\(Self.removed)}{}")
        output.removeAll()
        #expect(output.bytes.isEmpty)
    }

    private static func rewrite(_ event: String, _ transforms: Transforms) -> String {
        let memory = GuardedText(capacity: 4096)
        let start = memory.place(Array(event.utf8))
        var line = EventLine()
        JSONScanner.scan(start, from: 0, into: &line)
        precondition(line.outcome == .event, "a test's event is none: \(event)")
        let output = EncodedBytes()
        EventRewriter(transforms).rewrite(
            start + line.start, count: line.end - line.start, into: output)
        return String(decoding: output.bytes, as: UTF8.self)
    }
}
