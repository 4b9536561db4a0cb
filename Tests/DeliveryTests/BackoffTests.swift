import Testing

@testable import Delivery

@Suite struct BackoffTests {
    @Test(
        "The bound doubles with each failure up to the cap",
        arguments: [
            (0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (Int.max, 60),
        ])
    func bounds(failures: Int, seconds: Int) {
        #expect(Backoff().bound(failures: failures) == .seconds(seconds))
    }

    @Test("The wait is spread over the whole bound", arguments: [0.0, 0.25, 0.5, 0.999])
    func jitter(random: Double) {
        #expect(Backoff().delay(failures: 3, random: random) == .seconds(4) * random)
    }

    @Test(
        "Retry-After is honoured within reason, and spread by the base",
        arguments: [
            (Duration.seconds(7), 0.0, Duration.seconds(7)),
            (.seconds(7), 0.5, .milliseconds(7500)),
            (.seconds(86_400), 0.0, .seconds(300)), (.seconds(-5), 0.0, .zero),
        ])
    func retryAfter(asked: Duration, random: Double, wait: Duration) {
        #expect(Backoff().delay(failures: 9, retryAfter: asked, random: random) == wait)
    }

    @Test(
        "Probes start at 15 seconds, double and stay within five minutes and a part of the window",
        arguments: [
            (1, 48 * 3600, 15), (2, 48 * 3600, 30), (3, 48 * 3600, 60), (4, 48 * 3600, 120),
            (5, 48 * 3600, 240), (6, 48 * 3600, 300), (1000, 48 * 3600, 300), (1000, 600, 30),
            (1, 600, 15), (1000, 20, 1),
        ])
    func probes(failures: Int, window: Int, seconds: Int) {
        func delay(_ random: Double) -> Duration {
            ProbePace.delay(failures: failures, window: .seconds(window), random: random)
        }
        #expect(delay(0) == .seconds(seconds) / 2)
        #expect(delay(1) == .seconds(seconds))
    }

    @Test("The shortest window is probed twice a second, no more")
    func shortestWindow() {
        let delay = ProbePace.delay(failures: 9, window: .zero, random: 1)
        #expect(delay == .milliseconds(500))
    }
}
