import Model
import Testing

@Suite struct CheckedTextTests {
    @Test(arguments: [
        "", " ", "plain", "a: b", ": ", "#", "\n", "\r", "\r\n", "a\nb\n", "\\", "\\n", "\\\\n\n\\",
        "\\r\r",
        "checksum: 0", "ä日本🚀", "\u{301}", "\u{200d}x", "x\u{301}", "\u{0}\u{1}\t", "\u{2028}\u{85}",
        "\u{fe0f}", "a\\",
    ])
    func `Any value comes back byte for byte`(value: String) throws {
        var text = CheckedText(kind: "test")
        text.add("first", value)
        text.add("second", "x")
        text.add("first", value + value)
        let back = try CheckedText(text.bytes, kind: "test")
        #expect(back == text)
        #expect(back.lines.map(\.key) == ["first", "second", "first"])
        #expect(Array(try back.value("first").utf8) == Array(value.utf8))
        #expect(back.lines.map { Array($0.value.utf8) }.last == Array((value + value).utf8))
    }

    @Test func `It is a text of lines with a checksum of FNV-1a`() {
        var text = CheckedText(kind: "test", version: 3)
        text.add("key", "a\nb\\")
        let expected =
            "sluice test 3\nkey: a\\nb\\\\\nchecksum: \(Self.fnv("sluice test 3\nkey: a\\nb\\\\\n"))\n"
        #expect(String(decoding: text.bytes, as: UTF8.self) == expected)
        #expect(Self.fnv("") == "cbf29ce484222325")
        #expect(Self.fnv("foobar") == "85944171f73967e8")
    }

    @Test func `Damage anywhere is noticed`() {
        var text = CheckedText(kind: "test")
        text.add("key", "value")
        text.add("number", 12)
        let bytes = text.bytes
        for count in 0..<bytes.count {
            #expect(throws: CheckedText.Fault.self) {
                try CheckedText(Array(bytes[..<count]), kind: "test")
            }
        }
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: CheckedText.Fault.self, "bit \(bit) of byte \(index)") {
                    try CheckedText(changed, kind: "test")
                }
            }
        }
        #expect(throws: CheckedText.Fault.self) { try CheckedText(bytes + bytes, kind: "test") }
        #expect(throws: CheckedText.Fault.self) { try CheckedText(bytes + [0x0a], kind: "test") }
    }

    @Test(
        arguments: [
            ("", .damaged("it does not end with a whole line")),
            ("\n", .damaged("it has no checksum")),
            ("sluice test 1\n", .damaged("it has no checksum")),
            ("checksum: 0000000000000000\n", .damaged("its checksum is wrong")),
            (signed(""), .damaged("it is no test")),
            (signed("other test 1\n"), .damaged("it is no test")),
            (signed("sluice other 1\n"), .damaged("it is no test")),
            (signed("sluice test one\n"), .damaged("it is no test")),
            (signed("sluice test 1\nno colon\n"), .damaged("a line has no key")),
            (signed("sluice test 1\nkey:value\n"), .damaged("a line has no key")),
            (signed("sluice test 1\n\n"), .damaged("a line has no key")),
            (signed("sluice test 2\nwhatever\n"), .newer(version: 2)),
        ] as [(String, CheckedText.Fault)])
    func `What is wrong is said`(text: String, fault: CheckedText.Fault) {
        #expect(throws: fault) { try CheckedText(Array(text.utf8), kind: "test") }
    }

    @Test func `Bytes that are no UTF-8 are damage`() {
        #expect(throws: CheckedText.Fault.self) { try CheckedText([0xff, 0x0a], kind: "test") }
    }

    @Test func `A version up to the newest known is read`() throws {
        let bytes = CheckedText(kind: "test", version: 4).bytes
        #expect(try CheckedText(bytes, kind: "test", newest: 4).version == 4)
        #expect(try CheckedText(bytes, kind: "test", newest: 9).version == 4)
        #expect(throws: CheckedText.Fault.newer(version: 4)) {
            try CheckedText(bytes, kind: "test", newest: 3)
        }
    }

    @Test func `Values are asked for by key, as text or number`() throws {
        var text = CheckedText(kind: "test")
        text.add("size", UInt64.max)
        text.add("name", "x")
        text.add("name", "y")
        #expect(try text.value("name") == "x")
        #expect(try text.number("size") == UInt64.max)
        #expect(throws: CheckedText.Fault.missing(key: "none")) { try text.value("none") }
        #expect(throws: CheckedText.Fault.damaged("name is no number")) {
            let _: Int = try text.number("name")
        }
        #expect(throws: CheckedText.Fault.damaged("size is no number")) {
            let _: Int64 = try text.number("size")
        }
    }

    /// The lines with the checksum that they must have.
    private static func signed(_ lines: String) -> String { lines + "checksum: \(fnv(lines))\n" }

    private static func fnv(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
