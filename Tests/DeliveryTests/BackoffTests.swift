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
        "Probes start at 15 seconds, double and stay within five minutes",
        arguments: [
            (1, 15), (2, 30), (3, 60), (4, 120), (5, 240), (6, 300), (1000, 300),
        ])
    func probes(failures: Int, seconds: Int) {
        #expect(ProbePace.delay(failures: failures, window: .seconds(172_800), random: 0) == .seconds(seconds) / 2)
        #expect(ProbePace.delay(failures: failures, window: .seconds(172_800), random: 1) == .seconds(seconds))
    }
}
