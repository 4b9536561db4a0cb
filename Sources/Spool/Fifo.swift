/// A queue: first in, first out. What has left it is let go of at once.
struct Fifo<Element> {
    private var slots: [Element?] = []
    private var start = 0

    var count: Int { slots.count - start }
    var isEmpty: Bool { start == slots.count }

    mutating func append(contentsOf elements: some Sequence<Element>) {
        for element in elements { slots.append(element) }
    }

    mutating func popFirst() -> Element? {
        guard start < slots.count else { return nil }
        let element = slots[start].take()
        start += 1
        // Each slot is moved at most once for each time it was filled, so this costs no more than filling did.
        if start > 32, start * 2 > slots.count {
            slots.removeFirst(start)
            start = 0
        }
        return element
    }
}
