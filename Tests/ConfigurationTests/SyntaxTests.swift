@testable import Configuration
import Testing

@Suite struct SyntaxTests {
    @Test(
        "A syntax error has its line and column",
        arguments: [
            ("a = 1\nb = \n", 2, 5), ("a = 1\n\n  c d\n", 3, 5), ("[a\n", 1, 3),
            ("a = 1\na = 2\n", 2, 5),
            ("s = \"no end\n", 1, 12), ("x = 1.\n", 1, 7), ("s = \"é\" x", 1, 9),
        ])
    func position(text: String, line: Int, column: Int) {
        let error = #expect(throws: Document.SyntaxError.self) {
            try Document.parse(Array(text.utf8))
        }
        #expect(error?.line == line)
        #expect(error?.column == column)
        #expect(error?.text.hasPrefix("syntax error while parsing ") == true)
    }

    @Test func `What the library repeats of a document stays on one line`() {
        let error = #expect(throws: Document.SyntaxError.self) {
            try Document.parse(Array("n = [1.5, i\n nan]".utf8))
        }
        #expect(error?.text.contains("'i\\u000a'") == true, "\(error?.text ?? "")")
    }

    @Test(
        "Bytes that are not UTF-8 and NUL characters are found before they are misread",
        arguments: [
            ([0x61, 0x0A, 0xC3, 0xA9, 0xFF], 2, 2, "these bytes are not UTF-8"),
            ([0xC3], 1, 1, "these bytes are not UTF-8"),
            ([0xED, 0xA0, 0x80], 1, 1, "these bytes are not UTF-8"),
            ([0x61, 0x20, 0], 1, 3, "a NUL character has no place in a configuration"),
            (
                Array("a = \"b\\u0000c\"".utf8), 1, 12,
                "a NUL character has no place in a configuration"
            ),
            (
                Array("\na = \"\\U00000000\"".utf8), 2, 15,
                "a NUL character has no place in a configuration"
            ),
        ] as [([UInt8], Int, Int, String)])
    func bytes(bytes: [UInt8], line: Int, column: Int, text: String) {
        let error = #expect(throws: Document.SyntaxError.self) { try Document.parse(bytes) }
        #expect(error == Document.SyntaxError(line: line, column: column, text: text))
    }

    @Test("Every type of value is told from the others")
    func values() throws {
        let text = """
            string = "é"
            integer = -9_223_372_036_854_775_808
            float = 1e3
            boolean = false
            date = 2026-11-22
            time = 17:53:00
            moment = 2026-11-22T17:53:00Z
            array = [1, [2], "x"]
            table = { a.b = 1 }
            """
        #expect(
            try Document.parse(Array(text.utf8)) == [
                "string": .string("é"), "integer": .integer(.min), "float": .float(1000),
                "boolean": .boolean(false), "date": .dateOrTime, "time": .dateOrTime,
                "moment": .dateOrTime,
                "array": .array([.integer(1), .array([.integer(2)]), .string("x")]),
                "table": .table(["a": .table(["b": .integer(1)])]),
            ])
    }

    @Test(
        "Mistakes at which the TOML library would end the process are found before it sees them",
        arguments: [
            ("[.a]", 1, 2), ("a = 1\n [é]", 2, 3), ("[[=]]", 1, 3), ("[\n]", 1, 2),
            ("[ # x\n]", 1, 3),
            ("[[[a]]]", 1, 3), ("é = 1", 1, 1), ("\u{A0}[a]", 1, 1), ("a = 1\r\r\n", 1, 6),
            ("\u{FEFF}[.a]", 1, 3),
            ("x = [}", 1, 6), ("x = [1, # }\n }", 2, 2), ("x = { a = [1,} }", 1, 14),
            ("x = 2026-11-22 1\n", 1, 16), ("x = [2026-11-22 1]", 1, 17),
            ("x=0_000-00-00 0,", 1, 15), ("x = 2\"é6-=[-22 1 # \"", 1, 16),
            ("x = 2026-11-22T:00", 1, 16), ("x = 2026-11-22tx", 1, 16),
            ("s = \"\"\"\n[.\n\"\"\"\"\"\n[.a]", 4, 2), ("s = '\\'\n[.]", 2, 2),
            ("x = " + String(repeating: "[", count: 500_000), 1, 21),
            (String(repeating: "a.", count: 500_000) + "a = 1", 1, 34),
            ("[" + String(repeating: "'a'.", count: 250_000) + "a]", 1, 69),
            ("x = { y = " + String(repeating: "{ a", count: 17), 1, 56),
        ])
    func assertions(text: String, line: Int, column: Int) {
        let error = #expect(throws: Document.SyntaxError.self) {
            try Document.parse(Array(text.utf8))
        }
        #expect(error?.line == line)
        #expect(error?.column == column)
        #expect(error?.text.hasPrefix("syntax error: expected ") == true)
    }

    @Test(
        "What only looks like these mistakes is read",
        arguments: [
            "x = [\n[1],\n[+1],\n[{}], # [.\n[]\n]", "s = \"[.\\\"}\"", "s = '''\n[.\n'''",
            "x = {}",
            "x = [{}]", "# [.a]", "[ a . b ]", "[[a]]\n[[ 'b.' ]]", "a1Tb = 2026-11-22T17:53:00",
            "x = [1.5, 2.5, 3.5]\ny = 4.5", "x = 2026-11-22 17:53:00", "x = [2026-11-22,\n 1]",
            "x = 2026-11-22 # 1\n", "2026-11-22 = 1", "x = [ # }\n]", "s = \"\"\"a\"\"\"\"\"\n[x]",
            "x = 1 # \"\n[y]", "\u{FEFF}[a]",
        ])
    func sound(text: String) throws {
        _ = try Document.parse(Array(text.utf8))
    }

    @Test("Random words of TOML are parsed or refused, and never end the process")
    func random() {
        let seed = UInt64.random(in: 0...(.max))
        print("SyntaxTests.random: seed \(seed)")
        var state = seed
        func number(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let words = [
            "a", "b1", ".", "=", "[", "]", "{", "}", "\"", "'", "\\", "\\u00e9", "#", ",", "\n",
            " ",
            "-", "_", "1", ":", "T", "Z", "é", "\"\"\"", "'''", "e", "0x", "+", "inf", "nan",
            "true",
            "2026-11-22", "17:53:00", "[[", "]]", "\r\n", "\r", "\t", "x = ", "x = [", "x = {",
            "\u{1}", "\u{B}", "\u{C}", "\u{85}", "\u{A0}", "\u{2028}", "\u{3000}", "\u{FEFF}",
        ]
        for _ in 0..<20_000 {
            let text = (0..<number(below: 16)).map { _ in words[number(below: words.count)] }
                .joined()
            do throws(Document.SyntaxError) {
                _ = try Document.parse(Array(text.utf8))
            } catch {
                #expect(error.line >= 1 && error.column >= 1, "seed \(seed)")
            }
        }
    }
}

@Suite struct SimilarityTests {
    @Test(
        "The nearest key is suggested, and none that is far",
        arguments: [
            ("max_evnts", "max_events"), ("maxevents", "max_events"), ("max_ega", "max_age"),
            ("buckte", "bucket"), ("Bucket", "bucket"), ("acl1", "acl"), ("cal", "acl"),
            ("colour", nil), ("x", nil), ("", nil),
        ] as [(String, String?)])
    func suggestions(word: String, expected: String?) {
        let keys = ["acl", "bucket", "max_age", "max_bytes", "max_events", "region"]
        #expect(mostSimilar(to: word, among: keys) == expected)
    }
}
