import Support
import Testing

@testable import Delivery

@Suite struct EpisodeTimelineTests {
    private static func at(_ seconds: Int) -> Instant {
        Instant(nanoseconds: Int64(seconds) * 1_000_000_000)
    }

    /// Began at 100; stood from 200 to 300.
    private static var interrupted: EpisodeTimeline {
        var timeline = EpisodeTimeline(began: at(100))
        timeline.stand(at: at(200))
        timeline.goOn(at: at(300), askedUpTo: at(100))
        return timeline
    }

    @Test(
        "What counts is the episode since the event came, without the stops",
        arguments: [
            (0, 150, 50), (0, 250, 100), (0, 400, 200), (150, 400, 150), (250, 400, 100),
            (300, 400, 100), (350, 400, 50), (400, 400, 0), (500, 400, 0), (0, 50, 0),
        ])
    func counted(accepted: Int, end: Int, seconds: Int) {
        let counted = Self.interrupted.counted(from: Self.at(accepted), to: Self.at(end))
        #expect(counted == .seconds(seconds))
    }

    @Test("While it stands nothing counts, and standing twice is standing once")
    func standing() {
        var timeline = Self.interrupted
        timeline.stand(at: Self.at(400))
        timeline.stand(at: Self.at(450))
        #expect(timeline.counted(from: Self.at(0), to: Self.at(1_000)) == .seconds(200))
        timeline.goOn(at: Self.at(500), askedUpTo: Self.at(100))
        timeline.goOn(at: Self.at(600), askedUpTo: Self.at(100))
        #expect(timeline.counted(from: Self.at(0), to: Self.at(1_000)) == .seconds(700))
    }

    @Test(
        "Time off counts for what came before it, once the end is past it",
        arguments: [
            (0, 400, 250), (310, 400, 140), (350, 400, 100), (351, 400, 49), (0, 349, 149),
        ])
    func credit(accepted: Int, end: Int, seconds: Int) {
        var timeline = Self.interrupted
        timeline.credit(.seconds(50), at: Self.at(350))
        let counted = timeline.counted(from: Self.at(accepted), to: Self.at(end))
        #expect(counted == .seconds(seconds))
    }

    @Test("Of many times off the oldest are given up")
    func manyCredits() {
        var timeline = EpisodeTimeline(began: Self.at(0))
        for second in 1...100 { timeline.credit(.seconds(1_000), at: Self.at(second)) }
        let counted = timeline.counted(from: Self.at(0), to: Self.at(200))
        #expect(counted == .seconds(200 + 1_000 * EpisodeTimeline.mostCredits))
    }

    /// Stops as they come, all kept.
    private struct WholeTimeline {
        var stops: [(from: Int, to: Int)] = []

        func counted(from start: Int, to end: Int) -> Int {
            stops.reduce(max(0, end - start)) {
                $0 - max(0, min($1.to, end) - max($1.from, start))
            }
        }
    }

    @Test("Stops that were joined count less, never more, and for the oldest events just as much")
    func joining() {
        let first = UInt64.random(in: 0..<1 << 40)
        for seed in first..<first + 20 {
            var random = SeededGenerator(seed: seed)
            var timeline = EpisodeTimeline(began: Self.at(0))
            var whole = WholeTimeline()
            var (now, rejected) = (0, 0)
            let mostlyRejected = Bool.random(using: &random)
            for _ in 0..<300 {
                now += Int.random(in: 1...300, using: &random)
                if mostlyRejected || Int.random(in: 0..<20, using: &random) == 0 { rejected = now }
                let since = now
                timeline.stand(at: Self.at(now))
                now += Int.random(in: 1...300, using: &random)
                timeline.goOn(at: Self.at(now), askedUpTo: Self.at(rejected))
                whole.stops.append((since, now))
            }
            #expect(timeline.stops.count == EpisodeTimeline.mostStops)
            for accepted in stride(from: 0, to: now, by: 997) {
                for end in [rejected, now] {
                    let counted = timeline.counted(from: Self.at(accepted), to: Self.at(end))
                    let exact = whole.counted(from: accepted, to: end)
                    #expect(counted <= .seconds(exact), "seed \(seed)")
                    guard mostlyRejected else { continue }
                    let least = accepted == 0 ? exact : exact - now / 20
                    #expect(counted >= .seconds(least), "seed \(seed)")
                }
            }
        }
    }
}
