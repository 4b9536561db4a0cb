import Testing

@testable import Curl

struct AdmissionQueueTests {
    @Test("An origin at its limit holds nobody else up")
    func fairness() {
        var queue = AdmissionQueue<Int>(total: 3, perOrigin: 2, reserve: 0)
        for number in 1...4 { queue.add(number, origin: "slow") }
        queue.add(5, origin: "fast")
        #expect([queue.next(), queue.next(), queue.next(), queue.next()] == [1, 2, 5, nil])
        queue.ended(origin: "fast")
        #expect(!queue.mayStart)
        queue.ended(origin: "slow")
        #expect(queue.next() == 3)
        #expect((queue.runningCount, queue.waitingCount) == (2, 1))
    }

    @Test("Where slow origins have everything, another may start one from the reserve")
    func reserve() {
        var queue = AdmissionQueue<Int>(total: 4, perOrigin: 2, reserve: 2)
        for number in 1...3 { queue.add(number, origin: "slow") }
        for number in 4...6 { queue.add(number, origin: "slower") }
        for number in 7...8 { queue.add(number, origin: "fast") }
        queue.add(9, origin: "new")
        queue.add(10, origin: "newer")
        let started = (0..<7).map { _ in queue.next() }
        #expect(started == [1, 2, 4, 5, 7, 9, nil])
        queue.ended(origin: "fast")
        #expect(queue.next() == 8)
        queue.ended(origin: "slow")
        queue.ended(origin: "slow")
        #expect([queue.next(), queue.next(), queue.next()] == [3, 10, nil])
        #expect(queue.runningCount == 6)
    }

    @Test("What is taken out never runs")
    func removal() {
        var queue = AdmissionQueue<Int>(total: 1, perOrigin: 1, reserve: 0)
        for number in 1...3 { queue.add(number, origin: "o") }
        #expect(queue.removeWaiting { $0 == 1 } == [1])
        #expect(queue.next() == 2)
    }
}
