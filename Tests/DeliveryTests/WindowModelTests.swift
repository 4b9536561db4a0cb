import Testing

/// The decisions about the window against a model of the rules: see `WindowReference`.
@Suite struct WindowModelTests {
    /// Seeds that fail with a fault in the rules, and what that is.
    static let found: [(seed: UInt64, fault: String)] = [
        (1_089_168_627_897, "an episode that began in a pause counted it"),
        (677_228_085_116, "after a notice no other rejection was needed"),
        (461_910_628_110, "an answer without a Date left the one before it for the next boot"),
        (178_622_572_173, "time off counted though the clock stood"),
        (972_776_052_692, "the clock ran while nobody answered"),
        (869_275_925_898, "a probe sent before the window was over was enough"),
        (992_471_656_223, "a delivery was ignored as credentials were changed meanwhile"),
        (442_470_830_801, "no notice was given after a pause"),
        (270_158_648_729, "an event was taken for as old as the episode"),
        (742_630_717_731, "a notice stayed short as the window was raised"),
        (386_948_144_222, "the window was a tenth too long"),
        (266_908_868_630, "the clock lost the time between two processes"),
        (651_541_626_335, "time off was not counted"),
        (872_298_298_325, "the end of a silence was lost in a crash"),
        (928_614_190_806, "no notice was given after a boot"),
    ]

    @Test("Nothing is dropped early, nothing is kept too long, whatever happens", arguments: 0..<8)
    func sequences(part: UInt64) {
        let first = UInt64.random(in: 0..<1 << 40)
        var dropped = 0
        for seed in first..<first + 250 { dropped += Self.run(seed) }
        // Otherwise nothing was tested.
        #expect(dropped > 100, "seeds from \(first)")
    }

    @Test("No known fault of the rules has come back", arguments: found)
    func regressions(seed: UInt64, fault: String) { _ = Self.run(seed) }

    private static func run(_ seed: UInt64) -> Int {
        var world = WindowWorld(seed: seed)
        do {
            try world.run(steps: 200)
        } catch {
            var witness = WindowWorld(seed: seed, tellsStory: true)
            try? witness.run(steps: 200)
            let story = witness.story.suffix(60).joined(separator: "\n")
            Issue.record("seed \(seed): \(error.text)\n\(story)")
        }
        return world.dropped
    }
}
