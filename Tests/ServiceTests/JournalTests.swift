import Dispatch
import Glibc
import Systemd
import Testing

/// What a real journald is sent; `test_journal.py` starts one, runs these, and reads the entries back.
///
/// They do not run by themselves: without a journald, `sd_journal_sendv` says that all is well.
@Suite(
    .serialized,
    .enabled(if: getenv("SLUICE_LAB_JOURNALD") != nil, "needs lab/journald.sh around it"))
struct JournalTests {
    private let writer = JournalWriter(output: .journal, threshold: .debug)

    @Test("An entry of every kind is sent, with values of any bytes")
    func everyKind() {
        for kind in MessageKind.allCases {
            let fields: [JournalField] = [
                .connector(kind.rawValue), .key("a\nPRIORITY=0"), .events(3),
                JournalField(.file, bytes: [0x61, 0x0A, 0xFF, 0x3D, 0x00]),
            ]
            writer.send(JournalEntry(kind, "of kind \(kind)\n\u{1B}[31m", fields))
        }
        #expect(writer.flush(until: .now() + 20))
    }

    @Test("While journald is stopped senders go on, and lines that find no room are counted")
    func stoppedJournal() throws {
        let id = try #require(getenv("SLUICE_LAB_JOURNALD"))
        let journald = try #require(Int32(String(cString: id)))
        try #require(kill(journald, SIGSTOP) == 0)
        defer { kill(journald, SIGCONT) }
        for number in 0..<10_000 {
            writer.send(JournalEntry(.fileWaiting, "burst \(number)", priority: .debug))
        }
        #expect(!writer.flush(until: .now() + .milliseconds(200)))
        kill(journald, SIGCONT)
        #expect(writer.flush(until: .now() + 60))
    }
}
