import Testing

/// The decisions about the window against a model of the rules: see `WindowReference`.
@Suite struct WindowModelTests {
    /// Seeds that failed once.
    static let found: [UInt64] = []

    @Test("Nothing is dropped early, nothing is kept too long, whatever happens", arguments: 0..<8)
    func sequences(part: UInt64) {
        let first = UInt64.random(in: 0..<1 << 40)
        var dropped = 0
        for seed in first..<first + 250 { dropped += Self.run(seed) }
        // Otherwise nothing was tested.
        #expect(dropped > 100, "seeds from \(first)")
    }

    @Test("What failed once does not fail again", arguments: found)
    func regressions(seed: UInt64) { _ = Self.run(seed) }

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
