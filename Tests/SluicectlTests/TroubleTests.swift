import Model
import Testing

@testable import sluicectl

@Suite("What is told of the daemon's troubles")
struct TroubleTests {
    private func troubles(
        _ connectors: [String] = [], intake: String = StatusDocuments.running,
        quarantined: Int = 0, orphans: [String] = [], of name: String? = nil
    ) throws -> [Trouble] {
        let document = StatusDocuments.document(
            intake: intake, quarantined: quarantined, connectors: connectors, orphans: orphans)
        return try StatusDocuments.status(document).troubles(of: name)
    }

    private func connector(_ state: String, _ more: String = "") -> String {
        """
        {"name":"web","bucket":"b","state":"\(state)","since":"2026-11-22T17:58:30Z"\(more)}
        """
    }

    @Test("Nothing, where all is well or the spool is still being read")
    func none() throws {
        let well = [StatusDocuments.delivering("web")]
        #expect(try troubles(well) == [])
        #expect(try troubles(well, intake: #""intake":"opening""#) == [])
    }

    @Test(
        "A connector that does not deliver is failing; one that is paused is not",
        arguments: [
            ("backing_off", "backing off for 90s: why", true),
            ("credentials_failing", "credentials failing for 90s: why", true),
            ("misconfigured", "misconfigured for 90s: why", true),
            ("unheard_of", "unheard_of for 90s: why", true),
            ("paused", "paused; nothing is sent or dropped until sluicectl resume web", false),
            (
                "never_verified",
                "never verified: nothing was ever delivered with these credentials; sluicectl test "
                    + "web tries each step", false
            ),
        ])
    func states(state: String, text: String, isFailing: Bool) throws {
        let connector = connector(state, #","detail":"connector web: why""#)
        #expect(
            try troubles([connector]) == [Trouble(subject: "web", text: text, isFailing: isFailing)]
        )
    }

    @Test("Where the daemon gives no reason, the journal is named")
    func noReason() throws {
        #expect(
            try troubles([connector("misconfigured")]).first?.text
                == "misconfigured for 90s: the journal says why: journalctl -u sluiced")
        #expect(
            try troubles(intake: #""intake":"failed""#).first?.text
                == "event files cannot be accepted; the journal says why: journalctl -u sluiced")
    }

    @Test(
        "What an episode puts at risk is told with the moment of the first drop",
        arguments: [
            (
                #""first_drop":"2026-11-24T17:00:00Z","on_expiry":"drop""#,
                "1,204 events (3.0 MB) at risk; the first are dropped in 47h, at "
                    + "2026-11-24T17:00:00Z, unless the credentials work before"
            ),
            (
                #""event_type":"a.b","first_drop":"2026-11-22T18:00:00Z","on_expiry":"archive""#,
                "1,204 events of type a.b (3.0 MB) at risk; the first are archived with the next "
                    + "rejected attempt"
            ),
            (
                #""clock_stands":true,"on_expiry":"drop""#,
                "1,204 events (3.0 MB) at risk; the clock of the window stands, so none is "
                    + "dropped now"
            ),
        ])
    func atRisk(members: String, text: String) throws {
        let episode = #"{"at_risk":{"objects":2,"events":1204,"bytes":3000000},\#(members)}"#
        let troubles = try troubles([connector("delivering", #","episodes":[\#(episode)]"#)])
        #expect(troubles == [Trouble(subject: "web", text: text)])
    }

    @Test("What was given up, and what lies in the archive, is told")
    func losses() throws {
        let sums = #"{"objects":2,"events":1204,"bytes":3000000}"#
        let members = #","dropped":\#(sums),"in_archive":\#(sums)"#
        #expect(
            try troubles([connector("delivering", members)]).map(\.text) == [
                "1,204 events dropped since the spool was made; the journal tells each: "
                    + "journalctl -u sluiced -p crit",
                "1,204 events in the archive; sluicectl archive list web, then retry or discard them",
            ])
    }

    @Test("Event types that are denied are named, once")
    func deniedTypes() throws {
        let types = #","detail":"a is denied","denied_event_types":["a","b"]"#
        #expect(
            try troubles([connector("credentials_failing", types)]).map(\.text)
                == ["credentials failing for 90s: a is denied; denied are events of type a, b"])
        let denied = try troubles([connector("delivering", #","denied_event_types":["a"]"#)])
        #expect(denied.count == 1)
        #expect(denied.first?.text.hasPrefix("S3 denies events of type a, which wait") == true)
    }

    @Test("Batches that are held one by one are failing, though the connector delivers")
    func atFault() throws {
        let held = connector("delivering", #","at_fault":{"objects":2,"detail":"they differ"}"#)
        #expect(
            try troubles([held]) == [
                Trouble(subject: "web", text: "2 batches are held: they differ")
            ])
    }

    @Test("Orphans and quarantine wait for a person, and fail nothing")
    func notes() throws {
        let orphans = [#"{"name":"old","objects":1,"events":100,"bytes":999}"#]
        let notes = try troubles(quarantined: 1, orphans: orphans)
        #expect(notes.map(\.subject) == ["old", "quarantine"])
        #expect(notes.allSatisfy { !$0.isFailing })
        #expect(notes[0].text.hasPrefix("1 object with 100 events wait"))
    }

    @Test("For one connector, only its own troubles and the intake's are told")
    func one() throws {
        let intake = #""intake":"waiting","detail":"the disk is full""#
        let all = [connector("misconfigured"), StatusDocuments.failing("orders")]
        let orphans = [#"{"name":"old","objects":1,"events":100,"bytes":999}"#]
        let subjects = try troubles(
            all, intake: intake, quarantined: 1, orphans: orphans, of: "orders"
        ).map(\.subject)
        #expect(subjects == ["intake", "orders"])
    }

    @Test(
        "Another document is not taken for the daemon's",
        arguments: ["{}", "[]", "1", #"{"summary":"x"}"#])
    func otherDocuments(text: String) throws {
        #expect(DaemonStatus(try JSONReader.read(Array(text.utf8))) == nil)
    }

    @Test(
        "Times are read as they are written, and others are not",
        arguments: [
            ("2026-11-22T17:53:00Z", 1_795_369_980), ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
        ])
    func times(text: String, seconds: Int64) {
        #expect(Timestamp(extended: text) == Timestamp(unixSeconds: seconds))
        for wrong in [
            text + "x", "x" + text, String(text.dropLast()), text.replacing("T", with: " "),
        ] {
            #expect(Timestamp(extended: wrong) == nil)
        }
    }

    @Test(
        "An age is in the largest unit of which it has two",
        arguments: [
            (-5, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_800, "2d"),
        ])
    func ages(seconds: Int64, text: String) {
        let now = Timestamp(unixSeconds: 1_000_000)
        #expect(age(of: Timestamp(unixSeconds: 1_000_000 - seconds), at: now) == text)
    }
}
