import Model
import Testing

@testable import sluicectl

@Suite("What sluicectl status says of all connectors")
struct StatusReportTests {
    private func lines(
        _ document: String, width: Int = 80, colours: Bool = false, isUnicode: Bool = true,
        showsAll: Bool = false
    ) throws -> [String] {
        StatusReport(
            status: try StatusDocuments.status(document),
            look: Look(width: width, colours: colours, isUnicode: isUnicode), showsAll: showsAll
        ).lines
    }

    @Test("Where all is well: the summary, the spool, and a row a connector")
    func well() throws {
        let document = StatusDocuments.document(
            summary: "2 connectors: 2 delivering; backlog 11 kB",
            connectors: [
                StatusDocuments.delivering("web", StatusDocuments.rate),
                StatusDocuments.delivering("orders", StatusDocuments.rate),
            ], size: 250_000_000_000)
        #expect(
            try lines(document) == [
                "● 2 connectors: 2 delivering; backlog 11 kB",
                "   intake: running; 3 files in work",
                "     disk: ████████████░░░░░░░░ 61% full, 97 GB of 250 GB free in",
                "           /var/spool/sluice",
                "     rate: 2,408 events/s, 112 kB/s in the last minute",
                "  sluiced: 0.1.0, process 123, started 7m ago",
                "",
                "  CONNECTOR  HEALTH      BACKLOG    SIZE  OLDEST     RATE     LAST  DELIVERED",
                "● orders     delivering    1,234  5.6 kB      5m  1,204/s  10s ago     12,345",
                "● web        delivering    1,234  5.6 kB      5m  1,204/s  10s ago     12,345",
            ])
    }

    @Test("Large objects on their way are told with how far they are, and how long they will take")
    func uploads() throws {
        func upload(_ name: String, _ sent: Int, _ rate: Int, _ left: Int?) -> String {
            #"{"key":"currents/x/\#(name)","size":4000000000,"sent":\#(sent),"#
                + #""bytes_per_second":\#(rate)\#(left.map { #","seconds_left":\#($0)"# } ?? "")}"#
        }
        let uploads = [
            upload("a.avro", 1_500_000_000, 52_000_000, 48), upload("b.avro", 0, 0, nil),
        ]
        let document = StatusDocuments.document(
            connectors: [
                StatusDocuments.delivering(
                    "web", ",\"uploads\":[\(uploads.joined(separator: ","))]")
            ])
        let found = try lines(document)
        #expect(
            found.filter { $0.contains("uploading") } == [
                "  uploading: ░░░░░░░░░░░░░░░░░░░░ 0% of 4.0 GB, and nothing goes at present:",
                "  uploading: ████████░░░░░░░░░░░░ 37% of 4.0 GB, 52 MB/s, 48s left: web, a.avro",
            ])
    }

    @Test("An older daemon says nothing of rates and the size of the disk, and nothing is made up")
    func older() throws {
        let document = StatusDocuments.document(connectors: [StatusDocuments.delivering("web")])
        #expect(
            try lines(document) == [
                "● 1 connector: 1 delivering; no backlog",
                "   intake: running; 3 files in work",
                "     disk: 97 GB free in /var/spool/sluice",
                "  sluiced: 0.1.0, process 123, started 7m ago",
                "",
                "  CONNECTOR  HEALTH      BACKLOG    SIZE  OLDEST     LAST  DELIVERED",
                "● web        delivering    1,234  5.6 kB      5m  10s ago     12,345",
            ])
    }

    @Test("Troubled connectors come first, with what is at risk, until when, and what to do")
    func troubled() throws {
        let document = StatusDocuments.document(
            summary: "2 connectors: 1 delivering, 1 credentials failing since 14:02",
            connectors: [StatusDocuments.delivering("a"), StatusDocuments.inEpisode("orders")])
        let lines = try lines(document)
        #expect(lines[0].hasPrefix("× 2 connectors"))
        #expect(
            lines.dropFirst(4) == [
                "  at risk: 1.2 M events (567 MB); the first are dropped in 41h, those of orders",
                "  sluiced: 0.1.0, process 123, started 7m ago",
                "",
                "  CONNECTOR  HEALTH               BACKLOG    SIZE  OLDEST  DROP IN  RATE",
                "× orders     credentials failing    1.2 M  567 MB      3h      41h     -",
                "● a          delivering             1,234  5.6 kB      5m        -     -",
                "",
                "  orders: credentials failing for 3h: S3 rejects the credentials",
                "    (InvalidAccessKeyId, request 4442587FB7D0A2F9); check that the key exists",
                "    and is active",
                "  orders: 1,234,567 events (567 MB) at risk; the first are dropped in 41h, at",
                "    2026-11-24T11:00:00Z, unless the credentials work before",
                "  orders: 1,204 events dropped since the spool was made; the journal tells each:",
                "    journalctl -u sluiced -p crit",
            ])
    }

    @Test("An intake that waits is seen in its line, and the reason below")
    func intake() throws {
        let intake =
            #""intake":"waiting","detail":"12 kB are free, less than minimum_free; free some space""#
        let document = StatusDocuments.document(
            intake: intake, quarantined: 2, connectors: [StatusDocuments.delivering("orders")])
        let lines = try lines(document)
        #expect(lines[1] == "   intake: waiting, see below; 3 files in work")
        #expect(lines[0].hasPrefix("○"))
        #expect(lines.contains("  intake: 12 kB are free, less than minimum_free; free some space"))
        #expect(lines.contains { $0.hasPrefix("  quarantine: 2 files were refused") })
    }

    @Test("What went wrong lately is told, but what a trouble tells anyway")
    func problems() throws {
        let told =
            "connector orders: S3 rejects the credentials (InvalidAccessKeyId, request "
            + "4442587FB7D0A2F9); check that the key exists and is active"
        let document = StatusDocuments.document(
            connectors: [StatusDocuments.failing("orders")],
            problems: [
                StatusDocuments.problem(told, connector: "orders"),
                StatusDocuments.problem(
                    "connector web: S3 asks to slow down", connector: "web", count: 1200),
                StatusDocuments.problem("the disk is short"),
            ])
        #expect(
            try lines(document).suffix(4) == [
                "", "lately:", "  10m ago: web: S3 asks to slow down (1,200 times)",
                "  10m ago: the disk is short",
            ])
    }

    @Test("A name for which there is no room has a line of its own, and columns stay aligned")
    func longNames() throws {
        let long = "orders-of-the-northern-country"
        let document = StatusDocuments.document(
            connectors: [StatusDocuments.failing("a"), StatusDocuments.delivering(long)])
        let lines = try lines(document, width: 70)
        let row = try #require(lines.firstIndex(of: "● \(long)"))
        #expect(
            lines[row - 2...row + 1] == [
                "  CONNECTOR      HEALTH               BACKLOG    SIZE  OLDEST     LAST",
                "× a              credentials failing    1.2 M  567 MB      3h        -",
                "● \(long)",
                "                 delivering             1,234  5.6 kB      5m  10s ago",
            ])
    }

    @Test("No line is longer than the terminal", arguments: [40, 60, 80, 132])
    func widths(width: Int) throws {
        let document = StatusDocuments.document(
            quarantined: 1,
            connectors: [
                StatusDocuments.inEpisode(String(repeating: "n", count: 28)),
                StatusDocuments.delivering("web", StatusDocuments.rate),
            ], orphans: [#"{"name":"old","objects":2,"events":100,"bytes":999}"#],
            problems: [StatusDocuments.problem("the disk is short of room for what comes")],
            size: 250_000_000_000)
        let lines = try lines(document, width: width)
        #expect(lines.count > 12)
        #expect(lines.filter { $0.count > width } == [])
    }

    @Test("In a narrow terminal the name, the health and the backlog stay")
    func narrow() throws {
        let document = StatusDocuments.document(
            connectors: [
                StatusDocuments.delivering("orders", StatusDocuments.rate),
                StatusDocuments.delivering("web", StatusDocuments.rate),
            ])
        #expect(
            try lines(document, width: 40).suffix(3) == [
                "  CONNECTOR  HEALTH      BACKLOG",
                "● orders     delivering    1,234",
                "● web        delivering    1,234",
            ])
    }

    @Test("Colours change nothing but the colour")
    func colours() throws {
        let document = StatusDocuments.document(
            connectors: [StatusDocuments.failing("orders"), StatusDocuments.delivering("web")],
            orphans: [#"{"name":"old","objects":2,"events":100,"bytes":999}"#])
        let coloured = try lines(document, colours: true)
        #expect(coloured.contains { $0.contains("\u{1B}[31mcredentials failing\u{1B}[0m") })
        #expect(coloured.contains { $0.hasPrefix("\u{1B}[32m●\u{1B}[0m web        delivering ") })
        #expect(coloured.contains { $0.contains("\u{1B}[33morphaned\u{1B}[0m") })
        let plain = coloured.map { line in
            ["31", "32", "33", "0"].reduce(line) {
                $0.replacing("\u{1B}[\($1)m", with: "")
            }
        }
        #expect(plain == (try lines(document)))
    }

    @Test("Where the locale has ASCII only, every sign is ASCII")
    func ascii() throws {
        let document = StatusDocuments.document(
            connectors: [StatusDocuments.inEpisode("orders"), StatusDocuments.delivering("web")],
            orphans: [#"{"name":"old","objects":2,"events":100,"bytes":999}"#],
            size: 250_000_000_000)
        let lines = try lines(document, isUnicode: false)
        #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        #expect(lines[0].hasPrefix("x "))
        #expect(lines[2].contains("[###########.......]"))
    }

    @Test("Of many connectors those that are well are one row, and troubles end somewhere")
    func many() throws {
        let well = (1...190).map {
            StatusDocuments.delivering("shop-\($0)", StatusDocuments.rate)
        }
        let failing = (1...20).map { StatusDocuments.failing("bad-\($0)") }
        let document = StatusDocuments.document(connectors: well + failing)
        let short = try lines(document)
        let row = try #require(short.first { $0.hasPrefix("● 190 more") })
        #expect(
            row.split(separator: " ").prefix(5) == ["●", "190", "more", "delivering", "234,460"])
        #expect(short.filter { $0.hasPrefix("× bad-") }.count == 20)
        #expect(short.last == "  and 8 more: sluicectl status --all")
        #expect(short.count < 70)
        let whole = try lines(document, showsAll: true)
        #expect(whole.filter { $0.hasPrefix("● shop-") }.count == 190)
        #expect(whole.filter { $0.hasPrefix("  bad-") }.count == 20)
    }

    @Test("What others have written cannot command the terminal")
    func control() throws {
        let document = StatusDocuments.document(
            summary: #"a\u0007b"#,
            connectors: [
                StatusDocuments.failing("web").replacing("S3 rejects", with: #"\u001b[2J"#)
            ],
            problems: [StatusDocuments.problem(#"\u001b]0;x\u0007"#)])
        let lines = try lines(document)
        #expect(lines[0] == "× a\u{FFFD}b")
        #expect(lines.allSatisfy { !$0.contains("\u{1B}") && !$0.contains("\u{7}") })
    }
}
