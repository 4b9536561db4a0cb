/// What should become of each event, by counting minutes: the rule of the window, told without any arithmetic of clocks.
struct WindowRule {
    /// In minutes.
    let window: Int
    private(set) var waiting: [String: Int] = [:]
    private(set) var lost: Set<String> = []
    /// Nothing is given up for so many minutes yet.
    var mercy = 0
    /// When the last one was lost.
    private(set) var lostAt = -1000
    /// When the oldest had waited these parts of the window, in per cent.
    private(set) var reached: [Int: Int] = [:]

    init(window: Int) {
        self.window = window
    }

    mutating func arrived(_ events: some Sequence<String>) {
        for event in events { waiting[event] = 0 }
    }

    mutating func delivered() {
        waiting = [:]
    }

    /// A minute of an episode has passed.
    ///
    /// - Parameters:
    ///   - counts: the store could be asked, and the connector was not paused.
    ///   - isOff: the machine was.
    mutating func minute(at now: Int, counts: Bool, isOff: Bool = false) {
        if !isOff { mercy = max(0, mercy - 1) }
        guard counts else { return }
        for event in waiting.keys { waiting[event, default: 0] += 1 }
        let longest = waiting.values.max() ?? 0
        for part in [50, 75, 90, 95] where reached[part] == nil && longest * 100 >= window * part {
            reached[part] = now
        }
        guard !isOff, mercy == 0 else { return }
        for (event, waited) in waiting where waited >= window {
            waiting[event] = nil
            lost.insert(event)
            lostAt = now
        }
    }
}
