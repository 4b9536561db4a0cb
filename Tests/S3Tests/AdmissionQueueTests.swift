import Testing

@testable import Curl

struct AdmissionQueueTests {
    @Test("An origin at its limit holds nobody else up")
    func fairness() {
        var queue = AdmissionQueue<Int>(total: 3, perOrigin: 2)
        for number in 1...4 { queue.add(number, origin: "slow") }
        queue.add(5, origin: "fast")
        #expect([queue.next(), queue.next(), queue.next(), queue.next()] == [1, 2, 5, nil])
        queue.ended(origin: "fast")
        #expect(!queue.mayStart)
        queue.ended(origin: "slow")
        #expect(queue.next() == 3)
        #expect((queue.runningCount, queue.waitingCount) == (2, 1))
    }

    @Test("What is taken out never runs")
    func removal() {
        var queue = AdmissionQueue<Int>(total: 1, perOrigin: 1)
        for number in 1...3 { queue.add(number, origin: "o") }
        #expect(queue.removeWaiting { $0 == 1 } == [1])
        #expect(queue.next() == 2)
    }
}
