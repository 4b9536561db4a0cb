import Testing

@testable import Spool

/// Nothing in a spool holds itself: a life that is over gives back all that it took.
struct LifeMemoryTests {
    private static func world(_ seed: UInt64) -> SpoolWorld {
        let world = SpoolWorld(seed: seed, hasAvro: true)
        for number in 0..<4 {
            world.drop("e\(number).jsonl", [#"{"event_type":"shop.Order","id":"\#(number)"}"#])
        }
        return world
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `A life that is killed gives its memory back`(seed: UInt64) {
        let world = Self.world(seed)
        world.live(steps: 6)
        weak let spool = world.spool
        weak let desk = world.spool?.desk
        #expect(desk != nil)
        world.kill()
        #expect(spool == nil)
        #expect(desk == nil)
    }

    @Test func `A world that is over gives its memory back`() {
        var world: SpoolWorld? = Self.world(1)
        world?.finish()
        weak let desk = world?.spool?.desk
        #expect(desk != nil)
        world = nil
        #expect(desk == nil)
    }
}
