import Model
import Testing

@testable import sluicectl

@Suite("How far a drain is")
struct DrainProgressTests {
    private func status(
        _ held: Int, _ delivered: Int, dropped: Int = 0, pid: Int = 1, state: String = "delivering"
    ) throws -> DaemonStatus {
        let connector = { (name: String) in
            """
            {"name":"\(name)","state":"\(state)","detail":"why",
             "held":{"objects":\(held > 0 ? 1 : 0),"events":\(held),"bytes":\(held * 1000)},
             "delivered":{"objects":1,"events":\(delivered),"bytes":\(delivered * 1000)},
             "dropped":{"objects":1,"events":\(dropped),"bytes":1}}
            """
        }
        return try StatusDocuments.status(
            StatusDocuments.document(connectors: [connector("orders"), connector("web")])
                .replacing("\"pid\":123", with: "\"pid\":\(pid)"))
    }

    @Test("It tells what is left, how fast it goes, and how long it takes")
    func text() throws {
        var progress = DrainProgress(nil, from: try status(5000, 100))
        #expect(progress.text(afterSeconds: 0) == "10,000 events (10 MB) left")
        progress.note(try status(4000, 1100))
        #expect(
            progress.text(afterSeconds: 10)
                == "8,000 events (8.0 MB) left, 200 events/s, about 40s to go")
    }

    @Test("Only the connector that is named counts")
    func named() throws {
        var progress = DrainProgress("web", from: try status(5000, 100))
        progress.note(try status(4000, 1100))
        #expect(progress.delivered.events == 1000)
        #expect(progress.left.events == 4000)
    }

    @Test("A daemon that was started again counts from nothing")
    func restart() throws {
        var progress = DrainProgress(nil, from: try status(5000, 100))
        progress.note(try status(4000, 1100))
        progress.note(try status(3000, 700, pid: 2))
        #expect(progress.delivered.events == 2 * (1000 + 700))
    }

    @Test("What is given up meanwhile is told apart from what is delivered")
    func losses() throws {
        var progress = DrainProgress("web", from: try status(10, 0, dropped: 100))
        #expect(progress.closing == "nothing is left to be delivered")
        progress.note(try status(0, 0, dropped: 110))
        #expect(progress.lost == 10)
        #expect(progress.closing == "nothing is held any more")
    }

    @Test("Of connectors that hold nothing no trouble is told")
    func troubles() throws {
        let idle = DrainProgress(nil, from: try status(0, 0, state: "backing_off"))
        #expect(idle.troubles == [])
        let busy = DrainProgress("web", from: try status(1, 0, state: "backing_off"))
        #expect(busy.troubles.map(\.subject) == ["web"])
    }
}
