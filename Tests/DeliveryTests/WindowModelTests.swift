import Testing

/// The decisions about the window against a model of the rules: see `WindowReference`.
@Suite struct WindowModelTests {
    /// Seeds that failed with a fault in the rules, and what that was.
    static let found: [(seed: UInt64, fault: String)] = [
        (548_325_689_018, "time off counted for what came after the boot"),
        (502_060_035_594, "an episode that began in a pause counted it"),
        (281_739_277_814, "a rejection in a pause set the clock going"),
        (420_248_839_643, "after a notice no other rejection was needed"),
        (398_197_977_966, "an answer without a Date left the one before it for the next boot"),
        (720_739_273_182, "a Date was taken for exact"),
        (652_994_944_758, "time off counted though the clock stood"),
        (214_212_528_331, "the clock ran while nobody answered"),
        (60_073_125_451, "a probe sent before the window was over was enough"),
        (1_046_864_424_360, "a delivery was ignored as credentials were changed meanwhile"),
        (831_902_025_978, "no notice was given after a pause"),
        (730_693_147_548, "an event was taken for as old as the episode"),
        (1_065_985_739_175, "a notice stayed short as the window was raised"),
        (285_737_227_407, "the window was a tenth too long"),
        (229_685_759_481, "the clock lost the time between two processes"),
        (411_025_410_016, "time off was not counted"),
        (59_003_633_265, "the end of a silence was lost in a crash"),
        (745_701_433_431, "no notice was given after a boot"),
        (89_307_038_550, "a pause was lost in a restart"),
    ]

    @Test("Nothing is dropped early, nothing is kept too long, whatever happens", arguments: 0..<8)
    func sequences(part: UInt64) {
        let first = UInt64.random(in: 0..<1 << 40)
        var dropped = 0
        for seed in first..<first + 250 { dropped += Self.run(seed) }
        // Otherwise nothing was tested.
        #expect(dropped > 100, "seeds from \(first)")
    }

    @Test("What failed once does not fail again", arguments: found)
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
