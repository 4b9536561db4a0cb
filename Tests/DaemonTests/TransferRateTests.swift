import Testing

@testable import Daemon

struct TransferRateTests {
    private func seconds(_ seconds: Double) -> Duration { .seconds(seconds) }

    @Test func `Nothing has no rate, and no end`() {
        let rate = TransferRate(at: seconds(100))
        #expect(rate.perSecond(at: seconds(105)) == 0)
        #expect(rate.secondsLeft(for: 1, at: seconds(105)) == nil)
    }

    @Test func `What goes steadily has its rate from the first second on`() {
        var rate = TransferRate(at: seconds(100.5))
        for step in 0..<1000 {
            let now = seconds(100.5 + Double(step) / 10)
            rate.add(1000, at: now)
            guard step >= 10 else { continue }
            let found = rate.perSecond(at: now)
            #expect((9_000...11_000).contains(found), "after \(step) steps: \(found)")
        }
        #expect(rate.secondsLeft(for: 100_000, at: seconds(200.4)) == 11)
    }

    @Test func `The first moment is not taken for all times`() {
        var rate = TransferRate(at: seconds(0))
        rate.add(1 << 20, at: seconds(0.001))
        #expect(rate.perSecond(at: seconds(0.001)) == 1 << 20)
    }

    @Test func `A stall shows, and ends in nothing`() {
        var rate = TransferRate(at: seconds(0))
        for second in 0..<60 { rate.add(15_000, at: seconds(Double(second))) }
        #expect(rate.perSecond(at: seconds(59.9)) == 15_000)
        #expect((7_000...9_000).contains(rate.perSecond(at: seconds(66.9))))
        #expect(rate.perSecond(at: seconds(75)) == 0)
        #expect(rate.secondsLeft(for: 1, at: seconds(75)) == nil)
        // It goes on, after a pause of any length.
        rate.add(150_000, at: seconds(4_000))
        #expect(rate.perSecond(at: seconds(4_000)) == 10_000)
    }

    @Test func `The time left is rounded up`() {
        var rate = TransferRate(at: seconds(0))
        for second in 0..<20 { rate.add(10, at: seconds(Double(second))) }
        #expect(rate.secondsLeft(for: 100, at: seconds(19.5)) == 10)
        #expect(rate.secondsLeft(for: 101, at: seconds(19.5)) == 11)
        #expect(rate.secondsLeft(for: 0, at: seconds(19.5)) == 0)
        #expect(rate.secondsLeft(for: .max / 2, at: seconds(19.5)) == Int(UInt64.max / 20) + 1)
    }
}
