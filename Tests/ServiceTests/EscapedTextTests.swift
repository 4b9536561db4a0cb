import Systemd
import Testing

@Suite struct EscapedTextTests {
    @Test(
        "Text for people has no control characters and stays on one line",
        arguments: [
            ("plain, with ümlauts and 日本", "plain, with ümlauts and 日本"),
            ("", ""),
            (#"a\b "c""#, #"a\b "c""#),
            ("two\nlines\r\n\tand a tab", #"two\nlines\r\n\tand a tab"#),
            ("\u{1B}[31mred\u{1B}[0m", #"\x1B[31mred\x1B[0m"#),
            ("\u{1B}]0;title\u{07}", #"\x1B]0;title\x07"#),
            ("\u{0}\u{8}\u{7F}", #"\x00\x08\x7F"#),
            ("\u{9B}31m", #"\u{9B}31m"#),
            ("a\u{2028}b\u{2029}c", #"a\u{2028}b\u{2029}c"#),
            ("txt.\u{202E}exe\u{2066}", #"txt.\u{202E}exe\u{2066}"#),
        ])
    func escapes(_ text: String, _ expected: String) {
        #expect(EscapedText.of(text) == expected)
        #expect(EscapedText.of(bytes: text.utf8) == expected)
    }

    @Test("Bytes that are no UTF-8 show as replacement characters, and what follows stays")
    func repairs() {
        let name: [UInt8] = [0x61, 0xFF, 0x62, 0xE6, 0x97, 0x0A, 0x63]
        #expect(EscapedText.of(bytes: name) == "a\u{FFFD}b\u{FFFD}\\nc")
    }
}
