import Testing

@testable import Systemd

@Suite struct LineFormatTests {
    private let entry = JournalEntry(
        .throttled, "connector orders: slow\u{1B}[2J", [.connector("orders"), .events(7)])
    private let time = 1_795_370_000

    private func line(_ format: LineFormat, _ entry: JournalEntry) -> String {
        String(decoding: format.line(entry, at: time, identifier: "sluiced"), as: UTF8.self)
    }

    @Test("A line of text has time, level and message, and nothing that a terminal obeys")
    func text() {
        #expect(
            line(.text(colour: false), entry)
                == "2026-11-22T17:53:20Z warning connector orders: slow\\x1B[2J\n")
    }

    @Test("Colour is for the level alone, and only for what needs attention")
    func colour() {
        #expect(
            line(.text(colour: true), entry)
                == "2026-11-22T17:53:20Z \u{1B}[1;33mwarning\u{1B}[0m connector orders: slow\\x1B[2J\n"
        )
        let info = JournalEntry(.objectDelivered, "fine")
        #expect(line(.text(colour: true), info) == "2026-11-22T17:53:20Z info fine\n")
    }

    @Test("A line of JSON has the journal's names, and strings for values")
    func json() {
        let entry = JournalEntry(
            .fileQuarantined, #"file "a\b""#,
            [JournalField(.file, bytes: [0x22, 0x5C, 0x0A, 0x01, 0xFF]), .line(3)])
        let expected =
            #"{"time":"2026-11-22T17:53:20Z","PRIORITY":"4","SYSLOG_IDENTIFIER":"sluiced","#
            + #""MESSAGE_ID":"\#(MessageKind.fileQuarantined.id)","MESSAGE":"file \"a\\b\"","#
            + #""SLUICE_FILE":"\"\\\n\u0001\#u{FFFD}","SLUICE_LINE":"3"}"#
        #expect(line(.json, entry) == expected + "\n")
    }
}
