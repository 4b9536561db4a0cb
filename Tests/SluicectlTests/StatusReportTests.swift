import Model
import Testing

@testable import sluicectl

@Suite("The table of sluicectl status")
struct StatusReportTests {
    private func lines(
        _ document: String, name: String? = nil, width: Int = 80, colours: Bool = false
    ) throws -> [String] {
        StatusReport(
            status: try StatusDocuments.status(document), name: name, width: width,
            colours: colours
        ).lines
    }

    @Test("Where all is well: the summary, the intake, and a row a connector")
    func well() throws {
        let document = StatusDocuments.document(
            summary: "2 connectors: 2 delivering; backlog 11 kB",
            connectors: [StatusDocuments.delivering("orders"), StatusDocuments.delivering("web")])
        #expect(
            try lines(document) == [
                "2 connectors: 2 delivering; backlog 11 kB",
                "intake: running; 3 files in work; 97 GB free in /var/spool/sluice",
                "",
                "CONNECTOR  HEALTH      BACKLOG    SIZE  OLDEST  DELIVERED     LAST",
                "orders     delivering    1,234  5.6 kB      5m     12,345  10s ago",
                "web        delivering    1,234  5.6 kB      5m     12,345  10s ago",
            ])
    }

    @Test("Failing credentials have a line that says since when, why and what to do")
    func credentials() throws {
        let document = StatusDocuments.document(
            summary: "2 connectors: 1 delivering, 1 credentials failing since 14:02",
            connectors: [StatusDocuments.failing("orders"), StatusDocuments.delivering("web")])
        #expect(
            try lines(document).dropFirst(3) == [
                "CONNECTOR  HEALTH               BACKLOG    SIZE  OLDEST  DELIVERED     LAST",
                "orders     credentials failing    1.2 M  567 MB      3h          -        -",
                "web        delivering             1,234  5.6 kB      5m     12,345  10s ago",
                "",
                "  orders: credentials failing for 3h: S3 rejects the credentials",
                "    (InvalidAccessKeyId, request 4442587FB7D0A2F9); check that the key exists",
                "    and is active",
            ])
    }

    @Test("An intake that waits is seen in its line, and the reason below")
    func intake() throws {
        let intake =
            #""intake":"waiting","detail":"12 kB are free, less than minimum_free; free some space""#
        let document = StatusDocuments.document(
            intake: intake, quarantined: 2, connectors: [StatusDocuments.delivering("orders")])
        let lines = try lines(document)
        #expect(
            lines[1]
                == "intake: waiting, see below; 3 files in work; 97 GB free in /var/spool/sluice")
        #expect(
            lines.suffix(3) == [
                "  intake: 12 kB are free, less than minimum_free; free some space",
                "  quarantine: 2 files were refused, whole or in part; the reasons lie beside",
                "    them in /var/spool/sluice/quarantine",
            ])
    }

    @Test("A name for which there is no room has a line of its own, and columns stay aligned")
    func longNames() throws {
        let long = "orders-of-the-northern-country"
        let document = StatusDocuments.document(
            connectors: [StatusDocuments.failing("a"), StatusDocuments.delivering(long)])
        #expect(
            try lines(document)[3...6] == [
                "CONNECTOR       HEALTH               BACKLOG    SIZE  OLDEST  DELIVERED     LAST",
                "a               credentials failing    1.2 M  567 MB      3h          -        -",
                long,
                "                delivering             1,234  5.6 kB      5m     12,345  10s ago",
            ])
    }

    @Test("In a wide terminal a long name has room")
    func wide() throws {
        let long = "orders-of-the-northern-country"
        let document = StatusDocuments.document(connectors: [StatusDocuments.delivering(long)])
        #expect(
            try lines(document, width: 100).last
                == long + "  delivering    1,234  5.6 kB      5m     12,345  10s ago")
    }

    @Test("In a narrow terminal the last columns go, and no line is longer than it")
    func narrow() throws {
        let document = StatusDocuments.document(
            connectors: [StatusDocuments.failing("orders"), StatusDocuments.delivering("web")])
        let lines = try lines(document, width: 50)
        #expect(
            lines[4...6] == [
                "CONNECTOR  HEALTH               BACKLOG    SIZE",
                "orders     credentials failing    1.2 M  567 MB",
                "web        delivering             1,234  5.6 kB",
            ])
        #expect(lines.allSatisfy { $0.count <= 50 })
    }

    @Test("No line is longer than the terminal", arguments: [40, 60, 80, 132])
    func widths(width: Int) throws {
        let document = StatusDocuments.document(
            quarantined: 1,
            connectors: [
                StatusDocuments.failing(String(repeating: "n", count: 30)),
                StatusDocuments.delivering("web"),
            ], orphans: [#"{"name":"old","objects":2,"events":100,"bytes":999}"#])
        let lines = try lines(document, width: width)
        #expect(lines.count > 8)
        #expect(lines.allSatisfy { $0.count <= width })
    }

    @Test("Colours change nothing but the colour")
    func colours() throws {
        let document = StatusDocuments.document(
            connectors: [StatusDocuments.failing("orders"), StatusDocuments.delivering("web")],
            orphans: [#"{"name":"old","objects":2,"events":100,"bytes":999}"#])
        let coloured = try lines(document, colours: true)
        #expect(coloured[4].contains("\u{1B}[31mcredentials failing\u{1B}[0m"))
        #expect(!coloured[5].contains("\u{1B}"))
        #expect(coloured[6].contains("\u{1B}[33morphaned\u{1B}[0m"))
        let plain = coloured.map {
            $0.replacing("\u{1B}[31m", with: "").replacing("\u{1B}[33m", with: "")
                .replacing("\u{1B}[0m", with: "")
        }
        #expect(plain == (try lines(document)))
    }

    @Test(
        "One connector is shown with the whole address of its last object, and without the others")
    func one() throws {
        let document = StatusDocuments.document(
            quarantined: 1,
            connectors: [StatusDocuments.failing("orders"), StatusDocuments.delivering("web")])
        #expect(
            try lines(document, name: "web").dropFirst(3) == [
                "CONNECTOR  HEALTH      BACKLOG    SIZE  OLDEST  DELIVERED     LAST",
                "web        delivering    1,234  5.6 kB      5m     12,345  10s ago",
                "",
                "objects go to: s3://acme-events/currents/",
                "last object:   s3://acme-events/currents/x.jsonl.gz",
            ])
    }

    @Test("What others have written cannot command the terminal")
    func control() throws {
        let connector = StatusDocuments.delivering("web").replacing(
            "currents/x", with: #"\u001b[2J\u202e"#)
        let document = StatusDocuments.document(
            summary: #"a\u0007b"#, connectors: [connector])
        let lines = try lines(document, name: "web")
        #expect(lines.first == "a\u{FFFD}b")
        #expect(lines.last == "last object:   s3://acme-events/\u{FFFD}[2J\u{FFFD}.jsonl.gz")
    }
}
