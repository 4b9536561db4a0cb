import Model
import Testing

@Suite("Reading JSON")
struct JSONReaderTests {
    @Test(
        "A text is read and written again",
        arguments: [
            (#" { } "#, #"{}"#),
            (
                #"[ 1 , -20,0, 1.50, 1e+9, 99999999999999999999 ]"#,
                #"[1,-20,0,1.50,1e+9,99999999999999999999]"#
            ),
            (#"{"b":true,"a":[null,false,{"c":[]}]}"#, #"{"b":true,"a":[null,false,{"c":[]}]}"#),
            (#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é""#, #""\"\\/\u0008\u000c\n\u000d\u0009é😀é""#),
        ])
    func texts(text: String, written: String) throws {
        #expect(try JSONReader.read(Array(text.utf8)).text == written)
    }

    @Test(
        "What is no JSON is refused where it goes wrong",
        arguments: [
            ("", 0), ("{", 1), ("[1,]", 3), ("[1 2]", 3), (#"{"a" 1}"#, 5), (#"{"a":1,}"#, 7),
            ("{1:2}", 1), ("01", 1), ("-", 1), ("1.", 2), ("1e", 2), ("tru", 0), ("nul", 0),
            ("\"a", 2), ("\"a\nb\"", 2), (#""\x""#, 2), (#""\u12"#, 3), (#""\u+123""#, 3),
            (#""\ud800""#, 7), (#""\ud800\u0041""#, 13), (#""\udc00""#, 7), ("1 1", 2),
        ])
    func broken(text: String, offset: Int) {
        #expect(throws: JSONReader.Failure(offset: offset)) {
            try JSONReader.read(Array(text.utf8))
        }
    }

    @Test("Bytes that are no UTF-8 are refused")
    func encoding() {
        #expect(throws: JSONReader.Failure(offset: 1)) {
            try JSONReader.read([0x22, 0xC3, 0x28, 0x22])
        }
    }

    @Test("Nesting is read to the limit, and refused past it", arguments: ["[]", "{}"])
    func depth(brackets: String) throws {
        let isArray = brackets == "[]"
        func nested(_ depth: Int) -> [UInt8] {
            let open = String(repeating: isArray ? "[" : "{\"a\":", count: depth - 1)
            let close = String(repeating: isArray ? "]" : "}", count: depth - 1)
            return Array((open + brackets + close).utf8)
        }
        let deepest = JSONReader.deepest
        #expect(try JSONReader.read(nested(deepest)).text.utf8.count == nested(deepest).count)
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read(nested(deepest + 1)) }
    }

    @Test("Members are found by name, the last of two counts, and another kind is nothing")
    func members() throws {
        let object = try JSONReader.read(Array(#"{"a":1,"b":"x","a":2,"c":[3]}"#.utf8))
        #expect(object["a"]?.integer == 2)
        #expect(object["b"]?.string == "x")
        #expect(object["b"]?.integer == nil)
        #expect(object["c"]?.elements?.count == 1)
        #expect(object["d"] == nil)
        #expect(object["a"]?["a"] == nil)
    }
}
