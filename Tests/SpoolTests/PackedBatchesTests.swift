import Model
import Support
import Testing

@testable import Spool

/// Held batches in little memory: what was packed comes back.
@Suite struct PackedBatchesTests {
    private static let origins = ["orders", "clicks"].map {
        HeldBatch.Origin(ConnectorName("sink")!, $0)
    }

    private func batch(
        _ numbers: HeldBatch.Numbers, _ origin: HeldBatch.Origin = origins[0]
    ) -> HeldBatch {
        HeldBatch(origin, numbers)
    }

    @Test func `Any batches come back as they were`() {
        let seed = UInt64.random(in: 0 ... .max)
        var chance = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let batches = (0..<Int.random(in: 0...40, using: &chance)).map { _ in
                var numbers = HeldBatch.Numbers(repeating: 0)
                for field in numbers.indices {
                    // Of any number of bits: very small ones, and those at the limits.
                    numbers[field] = chance.next() >> UInt64.random(in: 0...64, using: &chance)
                }
                return batch(numbers, Self.origins.randomElement(using: &chance)!)
            }
            let packed = PackedBatches(batches)
            #expect(Array(packed) == batches, "seed \(seed)")
            #expect(packed.count == batches.count, "seed \(seed)")
        }
    }

    @Test func `Neighbours of one event type take less than thirty bytes each`() {
        let batches = (0..<1000).map { (number: UInt64) in
            batch([
                7 + number / 100, number * 571, 0, 0, 4_000 + number % 97,
                1_795_370_000_000_000 + number * 15_000, 1_795_370_000 + number / 10,
                86_400_000 + number, 3, 15_000, 2,
            ])
        }
        #expect(PackedBatches(batches).byteCount < 30 * batches.count)
    }
}
