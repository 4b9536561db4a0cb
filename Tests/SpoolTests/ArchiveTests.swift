import Batching
import Files
import Glibc
import Model
import Support
import Synchronization
import Testing

@testable import Spool

/// What is kept in `expired/`, and how it comes back or goes.
@Suite struct ArchiveTests {
    private static let all = ConnectorName("all")!

    /// A spool with two archived batches, and what they were.
    private func archived(
        perhaps: Bool = false
    ) throws -> (SpoolHouse, [HeldBatch], texts: [String]) {
        let house = try SpoolHouse()
        house.take("e.jsonl", "{\"event_type\":\"a\",\"id\":\"1\"}\n")
        house.take("f.jsonl", "{\"event_type\":\"b\",\"id\":\"2\"}\n")
        let texts = house.envelopes("all").map(house.text)
        let held = house.held
        #expect(held.count == 2)
        house.settle(.archived(perhapsDelivered: perhaps))
        #expect(house.held == [])
        return (house, held, texts)
    }

    private func list(_ house: SpoolHouse) -> [ArchivedBatch] {
        let found = Mutex<[ArchivedBatch]?>(nil)
        house.spool?.archived(nil) { result in found.withLock { $0 = try? result.get() } }
        house.run()
        return found.withLock { $0 } ?? []
    }

    private func ask(
        _ house: SpoolHouse,
        _ body: (@escaping @Sendable (Result<ArchiveSums, ArchiveFailure>) -> Void) -> Void
    ) -> Result<ArchiveSums, ArchiveFailure>? {
        let answer = Mutex<Result<ArchiveSums, ArchiveFailure>?>(nil)
        body { result in answer.withLock { $0 = result } }
        house.run()
        return answer.withLock { $0 }
    }

    private func counts(_ result: Result<ArchiveSums, ArchiveFailure>?) -> Int? {
        guard case .success(let sums) = result else { return nil }
        return sums.objects
    }

    @Test func `An archived batch lies in expired with its envelope, and is listed`() throws {
        let (house, held, _) = try archived(perhaps: true)
        #expect(house.tree.names("sealed/all") == [])
        let names = [1, 2].flatMap { number -> [String] in
            let name = held[number - 1].id.name
            return ["\(name).\(number).archived-perhaps", "\(name).object"]
        }
        #expect(house.tree.names("expired/all") == names)
        let batches = list(house)
        #expect(batches.map(\.id) == held.map(\.id))
        #expect(batches.map(\.eventType) == ["a", "b"])
        #expect(batches.map(\.events) == [1, 1])
        #expect(batches.map(\.bytes) == held.map(\.size))
        #expect(batches.allSatisfy { $0.key.contains("event_type=") && $0.perhapsDelivered })
        #expect(house.lost[Self.all]?.archived.objects == 2)
        #expect(house.lost[Self.all]?.archived.perhapsDelivered == 2)
        house.start()
        #expect(list(house) == batches)
        #expect(house.held == [])
        #expect(house.contents?.archived[Self.all]?.events == 2)
        #expect(house.lost[Self.all]?.archived.objects == 2)
    }

    @Test(arguments: [true, false])
    func `What is tried again is held under its key, with its bytes`(isRestarted: Bool) throws {
        let (house, held, texts) = try archived(perhaps: true)
        let keys = list(house).map(\.key)
        if isRestarted { house.start() }
        let answer = ask(house) { house.spool?.retryArchived(Self.all, batch: nil, done: $0) }
        #expect(counts(answer) == 2)
        #expect(house.held.map(\.id) == held.map(\.id))
        #expect(house.held.allSatisfy { $0.isFromEarlierProcess && $0.isUncertain })
        #expect(house.held.allSatisfy { !$0.isObjectMissing })
        #expect(house.envelopes("all").map(\.key) == keys)
        #expect(house.envelopes("all").map(house.text) == texts)
        #expect(house.tree.names("expired/all") == [])
        #expect(list(house) == [])
        // Uncertain it stays, until it is settled.
        house.start()
        #expect(house.held.map(\.isUncertain) == [true, true])
        house.settle(.delivered)
        #expect(house.tree.names("sealed/all") == [])
    }

    @Test func `One batch is tried again or discarded by its name`() throws {
        let (house, held, _) = try archived()
        let first = held[0].id.name
        let second = held[1].id.name
        #expect(
            counts(ask(house) { house.spool?.retryArchived(Self.all, batch: first, done: $0) })
                == 1)
        #expect(house.held.map(\.id.name) == [first])
        #expect(house.held.map(\.isUncertain) == [false])
        #expect(
            counts(ask(house) { house.spool?.discardArchived(Self.all, batch: second, done: $0) })
                == 1)
        #expect(house.tree.names("expired/all") == [])
        #expect(house.lost[Self.all]?.discardedFromArchive.events == 1)
        #expect(house.lost[Self.all]?.archived.events == 2)
        for name in [first, second, "x"] {
            let answer = ask(house) {
                house.spool?.discardArchived(Self.all, batch: name, done: $0)
            }
            #expect(answer == .failure(.missing))
        }
        // Given up once more, it is counted once more.
        house.settle(.dropped(perhapsDelivered: false))
        #expect(house.lost[Self.all]?.dropped.events == 1)
        #expect(house.tree.names("sealed/all") == [])
    }

    @Test func `A batch whose object is gone cannot be archived and counts as dropped`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", "{\"event_type\":\"a\",\"id\":\"1\"}\n")
        let object = try #require(house.envelopes("all").first?.objectPath)
        #expect(Glibc.unlink(house.tree.at(object)) == 0)
        house.start()
        house.settle(.archived(perhapsDelivered: false))
        #expect(list(house) == [])
        #expect(house.lost[Self.all]?.dropped.perhapsDelivered == 1)
        #expect(house.lost[Self.all]?.archived == LossSums())
    }

    @Test func `The archive of a connector that left the configuration can be emptied`() throws {
        let (house, _, _) = try archived()
        house.routing = SpoolHouse.routing([connector("other")])
        house.start()
        #expect(
            counts(ask(house) { house.spool?.discardArchived(Self.all, batch: nil, done: $0) })
                == 2)
        #expect(list(house) == [])
    }

    @Test func `Nothing happens to an archived batch before it is counted`() throws {
        let house = try SpoolHouse()
        let disk = AlteredFileSystem(house.files)
        house.files = disk
        house.start()
        house.take("e.jsonl", "{\"event_type\":\"a\",\"id\":\"1\"}\n")
        disk.full = ["totals.new"]
        house.settle(.archived(perhapsDelivered: false))
        let answer = ask(house) { house.spool?.retryArchived(Self.all, batch: nil, done: $0) }
        guard case .failure(.spool(let failure)) = answer else {
            Issue.record("\(String(describing: answer))", severity: .error)
            return
        }
        #expect(failure.isDiskFull)
        #expect(list(house).count == 1)
        disk.full = []
        house.scan()
        #expect(
            counts(ask(house) { house.spool?.retryArchived(Self.all, batch: nil, done: $0) }) == 1)
        #expect(house.lost[Self.all]?.archived.objects == 1)
    }

    @Test func `A failure leaves archived batches where they are, and says so`() throws {
        let (house, held, _) = try archived(perhaps: true)
        let disk = AlteredFileSystem(house.files)
        disk.full = [SpoolLayout.uncertain(held[0].id)]
        house.files = disk
        house.start()
        let answer = ask(house) { house.spool?.retryArchived(Self.all, batch: nil, done: $0) }
        guard case .failure(.spool(let failure)) = answer else {
            Issue.record("\(String(describing: answer))", severity: .error)
            return
        }
        #expect(failure.isDiskFull)
        #expect(list(house).map(\.id) == [held[0].id])
        #expect(house.held.map(\.id) == [held[1].id])
    }
}
