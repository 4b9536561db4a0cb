import Model
import Support
import Testing

@testable import Daemon
@testable import Spool

/// The order of what waits, compared with a list that is sorted anew each time.
@Suite struct WaitingBatchesTests {
    /// Batches of some event types, each with a position of its own.
    private struct Maker {
        let origins: [HeldBatch.Origin]

        init(types: Int) {
            origins = (0..<types).map {
                HeldBatch.Origin(ConnectorName("sink")!, "type-\($0)")
            }
        }

        func make(_ position: Int) -> HeldBatch {
            var numbers = HeldBatch.Numbers(repeating: 0)
            (numbers[0], numbers[1]) = (UInt64(position / 10), UInt64(position % 10))
            (numbers[4], numbers[9]) = (UInt64(position), 1)
            return HeldBatch(origins[position % origins.count], numbers)
        }
    }

    @Test(arguments: [1, 3, 300])
    func `The oldest that may go is found whatever came and went before`(types: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        var chance = SeededGenerator(seed: seed)
        let maker = Maker(types: types)
        var (waiting, expected) = (WaitingBatches(), [Int: HeldBatch]())
        var next = 0
        for step in 0..<4000 {
            switch Int.random(in: 0..<10, using: &chance) {
            case 0..<5:
                // In order mostly, as they are sealed; sometimes one that was under way comes back.
                let isLate = Int.random(in: 0..<4, using: &chance) == 0
                let position = isLate ? Int.random(in: 0...next, using: &chance) : next
                next += isLate ? 0 : Int.random(in: 1...3, using: &chance)
                let batch = maker.make(position)
                let isNew = expected.updateValue(batch, forKey: position) == nil
                let isTaken = waiting.insert(batch)
                #expect(isTaken == isNew, "seed \(seed), step \(step)")
            case 5..<9:
                let denied = Int.random(in: 0..<types, using: &chance)
                let oldest = expected.values.filter { $0.eventType != "type-\(denied)" }
                    .min { $0.id < $1.id }
                let found = waiting.oldest { $0.eventType != "type-\(denied)" }
                #expect(found == oldest, "seed \(seed), step \(step)")
                guard let found else { continue }
                let taken = waiting.takeFirst(found.eventType)
                #expect(taken == found, "seed \(seed), step \(step)")
                expected[Int(found.size)] = nil
            default:
                let type = "type-\(Int.random(in: 0..<types, using: &chance))"
                let taken = waiting.takeFirst(type)
                let first = expected.values.filter { $0.eventType == type }.min { $0.id < $1.id }
                #expect(taken == first, "seed \(seed), step \(step)")
                if let taken { expected[Int(taken.size)] = nil }
            }
        }
        #expect(waiting.firsts.count == Set(expected.values.map(\.eventType)).count)
        var left: [HeldBatch] = []
        while let batch = waiting.oldest(where: { _ in true }) {
            left.append(batch)
            _ = waiting.takeFirst(batch.eventType)
        }
        #expect(left == expected.values.sorted { $0.id < $1.id }, "seed \(seed)")
        #expect(waiting.isEmpty)
    }

    @Test func `A queue of thousands keeps its order and its sums through changes in its midst`() {
        let maker = Maker(types: 1)
        var queue = BatchQueue()
        // Even ones in order, then odd ones anywhere between them.
        for position in stride(from: 0, to: 2000, by: 2) {
            queue.insert(maker.make(position))
        }
        for position in [1, 129, 999, 1001, 1997, 1, 999] {
            let isNew = !queue.contains(maker.make(position))
            let isTaken = queue.insert(maker.make(position))
            #expect(isTaken == isNew)
        }
        let isTakenTwice = queue.insert(maker.make(1000))
        #expect(!isTakenTwice)
        let expected = (stride(from: 0, to: 2000, by: 2) + [1, 129, 999, 1001, 1997]).sorted()
        #expect(queue.all.map { Int($0.size) } == expected)
        #expect(queue.sums.bytes == UInt64(expected.reduce(0, +)))
        #expect(queue.last?.first == Position(file: 199, offset: 8))
        #expect(queue.prefix(100).map { Int($0.size) } == Array(expected.prefix(100)))
        #expect(expected.allSatisfy { queue.contains(maker.make($0)) })
        #expect(![3, 131, 1003, 1999, 4000].contains { queue.contains(maker.make($0)) })

        let removed = queue.remove { $0.size % 2 == 1 }
        #expect(removed.map { Int($0.size) } == [1, 129, 999, 1001, 1997])
        var others = BatchQueue()
        for batch in removed { others.insert(batch) }
        queue.insert(others)
        var taken: [Int] = []
        while !queue.isEmpty { taken.append(Int(queue.removeFirst().size)) }
        #expect(taken == expected)
        #expect(queue.sums == BatchSums())
    }
}
