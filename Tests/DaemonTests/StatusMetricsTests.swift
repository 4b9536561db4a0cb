import Delivery
import Files
import Model
import Spool
import Testing

@testable import Daemon
@testable import HTTPServer

/// What `GET /metrics` says.
@Suite struct StatusMetricsTests {
    private static let now = Timestamp(unixSeconds: 1_795_370_000)

    private func connector(_ name: String) throws -> ConnectorStatus {
        var status = ConnectorStatus(name: try #require(ConnectorName(name)))
        status.place = ConnectorStatus.Place(
            kind: .currents, format: .avro(.deflate), bucket: "b", folder: "f", maxHeld: nil)
        return status
    }

    private func lines(_ connectors: [ConnectorStatus], orphans: [ConnectorStatus] = []) -> [String]
    {
        let spool = SpoolStatus(
            directory: "/spool", zone: "z", partition: 0, intake: .waiting("full"),
            activity: SpoolActivity(), quarantined: 3, ignoredMembers: ["a\"b": 2],
            space: FileSystemSpace(
                totalBytes: 1000, freeBytes: 40, totalInodes: 0, freeInodes: 0),
            minimumFree: .percent(5))
        let status = StatusDocument(
            now: Self.now, started: Self.now, summary: "", spool: spool, connectors: connectors,
            orphans: orphans, problems: [])
        let process = ProcessFigures(
            residentBytes: 20 << 20, cpuSeconds: 1.25, openDescriptors: 30, mostDescriptors: 1024)
        return StatusMetrics(status: status, process: process).text.split(separator: "\n")
            .map(String.init)
    }

    @Test func `A state is a set of zeros and a one`() throws {
        var orders = try connector("orders")
        orders.state = .credentialsFailing
        let lines = lines([orders])
        let states = lines.filter { $0.hasPrefix("sluice_connector_state{") }
        #expect(states.count == ConnectorStatus.State.allCases.count)
        #expect(
            states.filter { $0.hasSuffix(" 1") } == [
                #"sluice_connector_state{connector="orders",state="credentials_failing"} 1"#
            ])
        #expect(lines.contains(#"sluice_spool_intake_state{state="waiting"} 1"#))
        #expect(lines.contains(#"sluice_spool_intake_state{state="running"} 0"#))
    }

    @Test func `Figures stand under their connector, and what is unknown is left out`() throws {
        var orders = try connector("orders")
        orders.held = BatchSums(objects: 2, events: 30, bytes: 400)
        orders.oldest = Timestamp(unixSeconds: Self.now.unixSeconds - 90)
        orders.risks = [
            ConnectorStatus.Risk(
                since: Self.now, attempts: 4, held: orders.held,
                firstDrop: (Self.now, .seconds(3600)), onExpiry: .drop, isStanding: false)
        ]
        let lines = lines([orders, try connector("web")])
        for line in [
            #"sluice_connector_held_bytes{connector="orders"} 400"#,
            #"sluice_connector_oldest_held_age_seconds{connector="orders"} 90"#,
            #"sluice_connector_oldest_held_age_seconds{connector="web"} 0"#,
            #"sluice_connector_at_risk_events{connector="orders"} 30"#,
            #"sluice_connector_time_to_first_drop_seconds{connector="orders"} 3600"#,
            "sluice_spool_minimum_free_bytes 50", "process_cpu_seconds_total 1.25",
            "process_resident_memory_bytes 20971520",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(
            !lines.contains {
                $0.hasPrefix(#"sluice_connector_time_to_first_drop_seconds{connector="web"#)
                    || $0.hasPrefix("sluice_connector_last_delivery_timestamp_seconds{")
            })
    }

    @Test func `A connector that left the configuration has figures and no state`() throws {
        var left = ConnectorStatus(name: try #require(ConnectorName("old")))
        left.held = BatchSums(objects: 1, events: 7, bytes: 9)
        let lines = lines([], orphans: [left])
        #expect(lines.contains(#"sluice_connector_held_events{connector="old"} 7"#))
        #expect(lines.contains(#"sluice_connector_configured{connector="old"} 0"#))
        #expect(!lines.contains { $0.hasPrefix("sluice_connector_state{") })
    }

    @Test func `Labels are escaped as the format asks for`() throws {
        var orders = try connector("orders")
        orders.failures.count(.misconfigured(.local("x")))
        #expect(
            lines([orders]).contains(#"sluice_spool_ignored_members_total{event_type="a\"b"} 2"#))
        var text = MetricsText()
        text.add(
            MetricsText.Family(
                name: "x", kind: .gauge, help: "a\nb\\ \"c\"",
                samples: [
                    MetricsText.Sample(labels: [("l", "a\nb\\\"ü")], value: .integer(-1))
                ]))
        #expect(
            text.text == "# HELP x a\\nb\\\\ \"c\"\n# TYPE x gauge\nx{l=\"a\\nb\\\\\\\"ü\"} -1\n")
    }

    @Test func `Each name is told of once, with its type, whether it has samples or not`() {
        let types = lines([]).filter { $0.hasPrefix("# TYPE ") }
            .map { String($0.split(separator: " ")[2]) }
        #expect(Set(types).count == types.count)
        #expect(types.contains("sluice_connector_dropped_events_total"))
        #expect(types.allSatisfy { $0.hasPrefix("sluice_") || $0.hasPrefix("process_") })
    }

    // MARK: Failures

    @Test func `Failed attempts are counted by code, and a flood of codes is one`() {
        var counts = FailureCounts()
        let deny = Disposition.credentials(.connector, Cause(code: "AccessDenied"))
        for disposition in [deny, deny, .delivered, .aborted, .existing, .batchHeld(.differs)] {
            counts.count(disposition)
        }
        #expect(counts.byCode == ["AccessDenied": 2, "differs": 1])
        for number in 0..<100 { counts.count(.conflict(Cause(code: "Code\(number)"))) }
        #expect(counts.byCode.count == FailureCounts.mostCodes + 1)
        #expect(counts.byCode["other"] == 70)
    }

    // MARK: The port

    @Test(
        "Only names of the loopback may be asked for on a port",
        arguments: [
            ("localhost:9464", true), ("LOCALHOST", true), ("127.0.0.1:9464", true),
            ("127.9.9.9", true), ("[::1]:9464", true), ("[::1]", true), ("a.localhost:1", true),
            ("evil.example:9464", false), ("127.0.0.1.evil.example", false), ("", false),
            ("localhost.evil.example", false), ("10.0.0.1", false), ("[::2]:80", false),
            ("127.0.0.1@evil", false),
        ])
    func hosts(host: String, isLoopback: Bool) {
        let request = HTTPRequest(method: .get, path: "/", query: [:], body: [], host: host)
        #expect(request.isForLoopback == isLoopback)
    }
}
