import Batching
import Files
import Model
import Support
import Synchronization
import Testing

@testable import Spool

/// In which order batches are sealed, and what a flush waits for.
@Suite struct SealingTests {
    /// One spool in the test's hands.
    ///
    /// Sendable: used from the test's own thread only, and so is what its lanes run.
    private final class Small: @unchecked Sendable {
        var files = SimulatedFileSystem()
        var lanes = ManualLanes()
        var random: SeededGenerator
        var held: [HeldBatch] = []
        /// What the wall clock says at each look, then it stands.
        var times: [Int64] = []
        var spool: Spool?
        init(_ seed: UInt64) { random = SeededGenerator(seed: seed) }
        func open() {
            lanes = ManualLanes()
            held = []
            let lanes = lanes
            _ = try? SpoolTree.prepare(files, host: "host")
            spool = Spool(
                SpoolSurroundings(
                    lanes, files: files,
                    now: {
                        Timestamp(
                            unixSeconds: self.times.isEmpty
                                ? 1_795_000_000 : self.times.removeFirst())
                    },
                    report: { report in
                        switch report {
                        case .opened(let contents): self.held = Array(contents.held)
                        case .sealed(let b): self.held += b
                        default: break
                        }
                    }),
                routing: SpoolWorld.routing(isWide: false, hasAvro: false), minimumFree: .percent(1)
            )
            spool!.open()
            lanes.runAll(&random)
        }
        func ids() -> [String: Int] {
            var seen: [String: Int] = [:]
            for batch in held {
                guard let e = try? Envelope.read(batch.id, files),
                    let body = files.contents(e.objectPath)
                else { continue }
                let all = String(decoding: unpack(body), as: UTF8.self)
                for line in all.split(separator: "\n") { seen[String(line), default: 0] += 1 }
            }
            return seen
        }
    }

    @Test func `A clock that goes back over an hour loses nothing`() {
        for seed in [UInt64(13), 32] + (0..<8) {
            for operation in 74..<84 {
                let s = Small(seed)
                _ = try? SpoolTree.prepare(s.files, host: "host")
                try? s.files.syncAll()
                let h: Int64 = 1_795_000_000
                for (name, n) in [("a", 3), ("b", 1), ("c", 3)] {
                    let text = (0..<n).map {
                        #"{"event_type":"shop.Order","id":"\#(name)\#($0)"}"#
                    }.joined(separator: "\n")
                    s.files.drop("incoming/\(name).jsonl", Array(text.utf8))
                }
                s.times = [h, h, h + 3600, h]
                s.files.set(.losePowerAfter(operation))
                s.open()
                s.files = s.files.afterPowerLoss(&s.random)
                s.files.set(nil)
                s.times = []
                s.open()
                s.spool!.scan()
                s.lanes.runAll(&s.random)
                s.spool!.flush(nil) { _ in }
                s.lanes.runAll(&s.random)
                let seen = s.ids()
                if seen.count != 7 || seen.values.contains(where: { $0 != 1 }) {
                    Issue.record("seed \(seed), operation \(operation): \(seen.keys.sorted())")
                }
            }
        }
    }

    @Test func `A flush of one connector ends though another has an open batch`() {
        let s = Small(1)
        _ = try? SpoolTree.prepare(s.files, host: "host")
        s.files.drop("incoming/a.jsonl", Array(#"{"event_type":"shop.Order","id":"1"}"#.utf8))
        s.files.drop("incoming/b.jsonl", Array(#"{"event_type":"mail.Send","id":"2"}"#.utf8))
        s.open()
        let done = Mutex(false)
        s.spool!.flush(SpoolWorld.orders) { _ in done.withLock { $0 = true } }
        s.lanes.runAll(&s.random)
        #expect(s.held.count == 1)
        #expect(done.withLock { $0 })
    }
}
