/// Decides which transfers may run: so many in all, so many to one origin, else first come, first served.
///
/// An origin to which nothing runs may start one transfer from the reserve beyond the total: origins that
/// do not answer may have all of the others, for as long as their time-outs last.
///
/// libcurl has such limits too, but what waits inside of it holds a handle, and its time to connect
/// runs. Here a transfer that waits costs nothing, and one origin's queue holds nobody else's up.
nonisolated struct AdmissionQueue<Element> {
    let total: Int
    let perOrigin: Int
    let reserve: Int
    private var waiting: [(origin: String, element: Element)] = []
    private var running: [String: Int] = [:]
    private(set) var runningCount = 0

    init(total: Int, perOrigin: Int, reserve: Int) {
        precondition(total > 0 && perOrigin > 0 && reserve >= 0)
        self.total = total
        self.perOrigin = perOrigin
        self.reserve = reserve
    }

    var waitingCount: Int { waiting.count }

    mutating func add(_ element: Element, origin: String) {
        waiting.append((origin, element))
    }

    /// Whether `next` has one to give.
    var mayStart: Bool { firstThatMayStart != nil }

    private var firstThatMayStart: Int? {
        guard runningCount < total + reserve else { return nil }
        let most = runningCount < total ? perOrigin : 1
        return waiting.firstIndex { running[$0.origin, default: 0] < most }
    }

    /// Takes out the first that may run now, and counts it as running.
    mutating func next() -> Element? {
        guard let index = firstThatMayStart else { return nil }
        let (origin, element) = waiting.remove(at: index)
        running[origin, default: 0] += 1
        runningCount += 1
        return element
    }

    /// One that was running has ended.
    mutating func ended(origin: String) {
        guard let count = running[origin] else { preconditionFailure("nothing runs to \(origin)") }
        running[origin] = count == 1 ? nil : count - 1
        runningCount -= 1
    }

    /// Takes out those that wait and match.
    mutating func removeWaiting(where matches: (Element) -> Bool) -> [Element] {
        let removed = waiting.filter { matches($0.element) }
        waiting.removeAll { matches($0.element) }
        return removed.map(\.element)
    }
}
