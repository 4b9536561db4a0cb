import Model
import Testing

@testable import sluicectl

@Suite("What sluicectl status says of one connector")
struct ConnectorReportTests {
    private func lines(
        _ name: String, _ document: String, width: Int = 80
    ) throws -> [String] {
        ConnectorReport(
            status: try StatusDocuments.status(document), name: name, look: Look(width: width)
        ).lines
    }

    @Test("Where its objects go, what waits, how fast it goes, and the whole key of the last")
    func well() throws {
        let members =
            StatusDocuments.rate + #","kind":"data-export","format":"jsonl""#
        let connector = StatusDocuments.delivering("web", members).replacing(
            #""held":{"#, with: #""held":{"most_bytes":11356,"#)
        #expect(
            try lines(
                "web", StatusDocuments.document(connectors: [connector])) == [
                    "● web: delivering",
                    "  objects go to: s3://acme-events/currents/",
                    "         format: files as they are (data-export)",
                    "           held: 1,234 files (5.6 kB), the oldest for 5m",
                    "       max_held: ██████████░░░░░░░░░░ of 11 kB",
                    "      delivered: 12,345 files (67 kB) since sluiced started",
                    "           rate: 1,204 events/s, 56 kB/s in the last minute",
                    "    last object: s3://acme-events/currents/x.jsonl.gz 10s ago",
                ])
    }

    @Test("An episode is told with the part of the window that has passed and the first drop")
    func episode() throws {
        let document = StatusDocuments.document(
            connectors: [StatusDocuments.inEpisode("orders"), StatusDocuments.delivering("web")],
            problems: [
                StatusDocuments.problem("connector orders: it is slow", connector: "orders"),
                StatusDocuments.problem("another's", connector: "web"),
            ])
        #expect(
            try lines("orders", document).filter { !$0.hasPrefix("  orders:") } == [
                "× orders: credentials failing since 2026-11-22T14:02:00Z, for 3h",
                "  objects go to: s3://acme-events/",
                "         format: Avro (currents)",
                "           held: 300 objects with 1,234,567 events (567 MB), the oldest for 3h",
                "      delivered: nothing yet",
                "           rate: nothing in the last minute",
                "       given up: 1,204 dropped events since the spool was made",
                "        episode: credentials are rejected since 2026-11-22T14:02:00Z; 12",
                "                 attempts, InvalidAccessKeyId",
                "         window: ███░░░░░░░░░░░░░░░░░ 7 of 48 hours have passed",
                "        at risk: 300 objects with 1,234,567 events (567 MB)",
                "     first drop: in 41h, at 2026-11-24T11:00:00Z",
                "",
                "    (InvalidAccessKeyId, request 4442587FB7D0A2F9); check that the key exists",
                "    and is active",
                "    2026-11-24T11:00:00Z, unless the credentials work before",
                "    journalctl -u sluiced -p crit",
                "",
                "lately:",
                "  10m ago: orders: it is slow",
            ])
    }

    @Test("An orphan is told with what it holds")
    func orphan() throws {
        let document = StatusDocuments.document(
            connectors: [], orphans: [#"{"name":"old","objects":2,"events":100,"bytes":999}"#])
        #expect(
            try lines("old", document).prefix(2) == [
                "○ old: orphaned", "  held: 2 objects with 100 events (999 B)",
            ])
    }

    @Test("A key is never broken, and what others wrote cannot command the terminal")
    func keys() throws {
        let connector = StatusDocuments.delivering("web").replacing(
            "currents/x", with: #"\u001b[2J\u202e"# + String(repeating: "k", count: 90))
        let lines = try lines(
            "web", StatusDocuments.document(connectors: [connector]), width: 40)
        let key = "s3://acme-events/\u{FFFD}[2J\u{FFFD}" + String(repeating: "k", count: 90)
        #expect(lines.contains { $0.contains(key + ".jsonl.gz") })
    }
}
