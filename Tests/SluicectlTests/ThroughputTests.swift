import Model
import Testing

@testable import sluicectl

@Suite("What was delivered in the last minutes")
struct ThroughputTests {
    private func status(
        _ time: String, _ delivered: Int, pid: Int = 1, name: String = "web"
    ) throws -> DaemonStatus {
        let document = """
            {"pid":\(pid),"started":"2026-11-22T10:00:00Z","now":"\(time)","summary":"","spool":{},
             "connectors":[{"name":"\(name)","state":"delivering",
              "delivered":{"objects":1,"events":\(delivered),"bytes":1}}]}
            """
        return try #require(DaemonStatus(JSONReader.read(Array(document.utf8))))
    }

    private func history(_ end: String, _ samples: [Int]) throws -> JSONText {
        try JSONReader.read(
            Array(
                """
                {"end":"\(end)","interval_seconds":60,"samples":{"delivered_events":\(samples)}}
                """.utf8))
    }

    @Test("What is delivered between two looks is spread over their time, and none is lost")
    func looks() throws {
        var throughput = Throughput()
        throughput.note(try status("2026-11-22T18:00:30Z", 1000))
        #expect(throughput.rates(2, now: try status("2026-11-22T18:00:30Z", 0).now) == [nil, nil])
        let end = try status("2026-11-22T18:02:00Z", 1900)
        throughput.note(end)
        #expect(throughput.rates(4, now: end.now) == [nil, 10, 10, nil])
        throughput.note(try status("2026-11-22T18:02:02Z", 1901))
        #expect(throughput.rates(3, now: end.now) == [10, 10, 1])
    }

    @Test("A daemon that was started again counts from nothing, and so does a new connector")
    func restarts() throws {
        var throughput = Throughput()
        throughput.note(try status("2026-11-22T18:00:00Z", 1000))
        throughput.note(try status("2026-11-22T18:00:10Z", 100, pid: 2))
        throughput.note(try status("2026-11-22T18:00:20Z", 200, pid: 2, name: "orders"))
        let now = try status("2026-11-22T18:00:20Z", 0).now
        #expect(throughput.rates(1, now: now) == [15])
    }

    @Test("The daemon's history fills what was not seen, and does not replace what was")
    func seeding() throws {
        var throughput = Throughput()
        throughput.note(try status("2026-11-22T18:00:00Z", 0))
        throughput.note(try status("2026-11-22T18:01:00Z", 6000))
        throughput.seed(try history("2026-11-22T18:01:10Z", [60, 120, 600_000]))
        let now = try status("2026-11-22T18:00:59Z", 0).now
        #expect(throughput.rates(4, now: now) == [nil, 1, 2, 100])
    }

    @Test(
        "What is no history changes nothing",
        arguments: [
            "{}", "[]", #"{"end":"2026-11-22T18:00:00Z"}"#,
            #"{"end":"x","interval_seconds":60,"samples":{"delivered_events":[1]}}"#,
            #"{"end":"2026-11-22T18:00:00Z","interval_seconds":5,"samples":{"delivered_events":[1]}}"#,
            #"{"end":"2026-11-22T18:00:00Z","interval_seconds":60,"samples":{"delivered_events":[-1,"x",null]}}"#,
        ])
    func noHistory(document: String) throws {
        var throughput = Throughput()
        throughput.seed(try JSONReader.read(Array(document.utf8)))
        let now = try status("2026-11-22T18:00:00Z", 0).now
        #expect(throughput.rates(3, now: now) == [nil, nil, nil])
    }

    @Test("A clock that goes back, or on by days, makes no rate")
    func clocks() throws {
        var throughput = Throughput()
        throughput.note(try status("2026-11-22T18:00:00Z", 0))
        throughput.note(try status("2026-11-22T17:00:00Z", 500))
        let later = try status("2026-11-29T18:00:00Z", 1000)
        throughput.note(later)
        #expect(throughput.rates(5, now: later.now) == [nil, nil, nil, nil, nil])
    }
}

@Suite("Bars and sparklines")
struct GaugeTests {
    @Test(
        "What is not nothing is seen in a bar, and so is what is not all",
        arguments: [
            (0, "░░░░░"), (0.001, "█░░░░"), (0.5, "███░░"), (0.999, "████░"), (1, "█████"),
            (7, "█████"), (-1, "░░░░░"), (.nan, "░░░░░"),
        ])
    func bars(part: Double, bar: String) {
        #expect(Gauge.bar(part, width: 5, Look()) == bar)
    }

    @Test("The highest number has the highest sign, and a gap has none")
    func sparklines() {
        #expect(Gauge.sparkline([nil, 0, 1, 50, 100], top: 100, Look()) == " ▁▂▅█")
        #expect(Gauge.sparkline([0, 0], top: 0, Look()) == "▁▁")
        let ascii = Gauge.sparkline([nil, 0, 1, 50, 100], top: 100, Look(isUnicode: false))
        #expect(ascii == " _.=#")
    }
}
