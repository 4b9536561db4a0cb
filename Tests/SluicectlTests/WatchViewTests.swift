import Model
import Testing

@testable import sluicectl

@Suite("The live screen of sluicectl status --watch")
struct WatchViewTests {
    private static let well = StatusDocuments.document(
        summary: "2 connectors: 2 delivering; backlog 11 kB",
        connectors: [
            StatusDocuments.delivering("web", StatusDocuments.rate),
            StatusDocuments.delivering("orders", StatusDocuments.rate),
        ], size: 250_000_000_000)

    private static let troubled = StatusDocuments.document(
        summary: "3 connectors: 2 delivering, 1 credentials failing since 14:02; backlog 567 MB",
        quarantined: 3,
        connectors: [StatusDocuments.inEpisode("orders")]
            + (1...40).map { StatusDocuments.delivering("shop-\($0)", StatusDocuments.rate) },
        problems: [StatusDocuments.problem("the disk is short")], size: 250_000_000_000)

    private func view(
        _ document: String, _ columns: Int, _ rows: Int, name: String? = nil,
        silence: String? = nil,
        scrolled: Int = 0, colours: Bool = false
    ) throws -> WatchView {
        var throughput = Throughput()
        let history =
            #"{"end":"2026-11-22T18:00:00Z","interval_seconds":60,"#
            + #""samples":{"delivered_events":[0,600,1200,60000]}}"#
        throughput.seed(try JSONReader.read(Array(history.utf8)))
        return WatchView(
            status: try StatusDocuments.status(document), name: name, throughput: throughput,
            silence: silence, seconds: 2, scrolled: scrolled,
            size: .init(columns: columns, rows: rows),
            look: Look(width: columns, colours: colours))
    }

    @Test("Where there is room it shows rates, the disk, the connectors, and which keys there are")
    func whole() throws {
        #expect(
            try view(Self.well, 80, 18).frame.lines == [
                "● 2 connectors: 2 delivering; backlog 11 kB",
                "",
                "  rate                               ▁▂▂█  2,408 events/s, most 1,000",
                "  disk    ████████████████████░░░░░░░░░░░░ 61% full, 97 GB of 250 GB free",
                "",
                "  CONNECTOR  HEALTH      BACKLOG    SIZE  OLDEST     RATE     LAST  DELIVERED",
                "● orders     delivering    1,234  5.6 kB      5m  1,204/s  10s ago     12,345",
                "● web        delivering    1,234  5.6 kB      5m  1,204/s  10s ago     12,345",
                "", "", "", "", "", "", "", "", "",
                "q quit  every 2 s" + String(repeating: " ", count: 63),
            ])
    }

    @Test(
        "It has as many lines as the terminal, and none is longer",
        arguments: [
            (20, 5), (20, 1), (1, 1), (10, 3), (40, 8), (40, 12), (80, 24), (132, 43), (300, 100),
        ])
    func sizes(columns: Int, rows: Int) throws {
        for document in [Self.well, Self.troubled] {
            for silence in [nil, "nobody listens there"] {
                for name in [nil, "orders"] {
                    for colours in [false, true] {
                        let view = try view(
                            document, columns, rows, name: name, silence: silence, colours: colours)
                        let lines = view.frame.lines.map(uncoloured)
                        #expect(lines.count == rows)
                        #expect(lines.filter { $0.count > columns } == [])
                    }
                }
            }
        }
    }

    @Test("At 20 by 5 the health and the first connectors are seen")
    func tiny() throws {
        let lines = try view(Self.troubled, 20, 5).frame.lines
        #expect(lines[0].hasPrefix("× 3 connectors"))
        #expect(lines.contains { $0.hasPrefix("× orders") })
        #expect(lines[4].hasPrefix("q quit"))
    }

    @Test("The window of which least is left is a bar")
    func window() throws {
        let lines = try view(Self.troubled, 80, 24).frame.lines
        #expect(
            lines.contains {
                $0.hasPrefix("  window  █████░░") && $0.hasSuffix("░ first drop in 41h: orders")
            })
    }

    @Test("Scrolling ends where the text does, and the titles stay over their rows")
    func scrolling() throws {
        let first = try view(Self.troubled, 80, 24).frame
        #expect(first.scrolled == 0)
        let end = try view(Self.troubled, 80, 24, scrolled: .max / 2).frame
        #expect(end.scrolled > 30)
        #expect(end.lines.contains { $0.contains("the disk is short") })
        let middle = try view(Self.troubled, 80, 24, scrolled: 10).frame
        #expect(middle.scrolled == 10)
        #expect(middle.lines.contains { $0.hasPrefix("  CONNECTOR  HEALTH") })
        #expect(!middle.lines.contains { $0.hasPrefix("× orders") })
        #expect(try view(Self.troubled, 80, 24, scrolled: -5).frame.scrolled == 0)
        #expect(middle.lines.last?.contains("11-") == true)
    }

    @Test("A daemon that gives no answer is told in the first line, with the reason")
    func silence() throws {
        let lines = try view(Self.well, 80, 24, silence: "nobody listens there").frame.lines
        #expect(lines[0] == "no answer since 2026-11-22T18:00:00Z: nobody listens there")
        #expect(lines[1].hasPrefix("● 2 connectors"))
        let tiny = try view(Self.well, 40, 5, silence: "nobody listens there").frame.lines
        #expect(tiny[0] == "no answer since 2026-11-22T18:00:00Z: no")
    }

    @Test("One connector is shown with all that is known of it")
    func one() throws {
        let lines = try view(Self.troubled, 80, 40, name: "orders").frame.lines
        #expect(lines.contains("  objects go to: s3://acme-events/"))
        #expect(!lines.contains { $0.contains("shop-1") })
    }

    @Test("A line is cut by its characters, not by what colours it")
    func clipping() {
        #expect(clipped("\u{1B}[31mred\u{1B}[0m and more", to: 5) == "\u{1B}[31mred\u{1B}[0m a")
        #expect(clipped("abc", to: 5) == "abc")
        #expect(clipped("abc", to: 0) == "")
    }

    private func uncoloured(_ line: String) -> String {
        ["31", "32", "33", "1", "0"].reduce(line) { $0.replacing("\u{1B}[\($1)m", with: "") }
    }
}

@Suite("What is typed on the live screen")
struct WatchKeyTests {
    @Test(
        "Keys are told apart",
        arguments: [
            ("q", [WatchKey.quit]), ("jk", [.scroll(1), .scroll(-1)]),
            (" b", [.page(1), .page(-1)]), ("\u{1B}[A\u{1B}OB", [.scroll(-1), .scroll(1)]),
            ("\u{1B}[5~\u{1B}[6~", [.page(-1), .page(1)]),
            ("gG", [.top, .bottom]), ("\u{1B}[1;5Aq", [.quit]), ("xyz", []), ("\u{1B}q", [.quit]),
        ])
    func keys(typed: String, keys: [WatchKey]) {
        var bytes = Array(typed.utf8)
        #expect(WatchKey.read(&bytes) == keys)
        #expect(bytes == [])
    }

    @Test("A key that comes in pieces waits for its end, and what is no key does not pile up")
    func pieces() {
        var bytes = Array("j\u{1B}[".utf8)
        #expect(WatchKey.read(&bytes) == [.scroll(1)])
        bytes += Array("B".utf8)
        #expect(WatchKey.read(&bytes) == [.scroll(1)])
        bytes = Array(("\u{1B}[" + String(repeating: "1", count: 100)).utf8)
        #expect(WatchKey.read(&bytes) == [])
        #expect(bytes == [])
    }
}
