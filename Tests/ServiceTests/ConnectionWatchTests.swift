import Testing

@testable import HTTPServer

/// Who has had a place for too long.
@Suite struct ConnectionWatchTests {
    private typealias Watch = ConnectionWatch<Int>

    @Test func `A client that comes up with no request in time loses its place`() {
        var watch = Watch()
        watch.opened(1, at: .seconds(100))
        watch.opened(2, at: .seconds(105))
        #expect(watch.nextDeadline(isFull: false) == .seconds(110))
        #expect(watch.overdue(at: .seconds(109), isFull: false).isEmpty)
        #expect(watch.overdue(at: .seconds(110), isFull: false) == [1])
    }

    @Test func `While all places are taken, a second is enough`() {
        var watch = Watch()
        watch.opened(1, at: .seconds(100))
        #expect(watch.nextDeadline(isFull: true) == .seconds(101))
        #expect(watch.overdue(at: .seconds(101), isFull: true) == [1])
    }

    @Test func `A late answer takes as long as it takes, and is to be taken in time`() {
        var watch = Watch()
        watch.opened(1, at: .seconds(100))
        watch.asked(1)
        #expect(watch.nextDeadline(isFull: true) == nil)
        #expect(watch.overdue(at: .seconds(9000), isFull: true).isEmpty)
        watch.answered(1, at: .seconds(9000))
        #expect(watch.overdue(at: .seconds(9059), isFull: true).isEmpty)
        #expect(watch.overdue(at: .seconds(9060), isFull: false) == [1])
    }

    @Test func `Each request of a connection has its own time`() {
        var watch = Watch()
        watch.opened(1, at: .seconds(0))
        watch.asked(1)
        watch.answered(1, at: .seconds(9))
        watch.ended(1, at: .seconds(9))
        #expect(watch.nextDeadline(isFull: false) == .seconds(19))
        watch.closed(1)
        watch.ended(1, at: .seconds(20))
        #expect(watch.count == 0)
        #expect(watch.nextDeadline(isFull: true) == nil)
    }
}
