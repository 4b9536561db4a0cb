public import Dispatch
internal import Glibc
internal import Synchronization

/// Writes the daemon's lines without ever making their sender wait.
///
/// journald may be stopped, and standard error may be a pipe that nobody reads; both block whoever
/// writes. So lines go through a bounded buffer to a queue of their own. Past the bound lines are
/// counted instead of kept, and the count is one line (`linesLost`) when there is room again.
public final class JournalWriter: Sendable {
    /// Where lines go.
    public enum Output: Sendable, Equatable {
        case journal
        /// Lines for people on standard error; levels in colour on a terminal, unless `NO_COLOR` is set.
        case text
        /// JSON Lines on standard error.
        case json
    }

    /// Lines that may wait, about 1 MB of them; as many again may be in the hands of the queue.
    public static let defaultCapacity = 1_000

    private struct Stamped {
        let entry: JournalEntry
        let seconds: Int
    }

    private struct State {
        var waiting: [Stamped] = []
        var lost = 0
        var isDraining = false
        var threshold: Priority
        var problems = RecentProblems()
    }

    private let state: Mutex<State>
    private let capacity: Int
    private let write: @Sendable (JournalEntry, _ seconds: Int) -> Bool
    private let queue = DispatchQueue(label: "sluice.journal")

    /// - Parameter threshold: graver lines and those of this level are written, others are not.
    public convenience init(
        output: Output, threshold: Priority, identifier: String = "sluiced",
        capacity: Int = JournalWriter.defaultCapacity
    ) {
        let format: LineFormat
        switch output {
        case .journal:
            self.init(threshold: threshold, capacity: capacity) { entry, _ in
                do throws(Journal.SendError) {
                    try Journal.send(entry, identifier: identifier)
                    return true
                } catch {
                    return false
                }
            }
            return
        case .text:
            format = .text(colour: isatty(STDERR_FILENO) == 1 && getenv("NO_COLOR") == nil)
        case .json:
            format = .json
        }
        self.init(threshold: threshold, capacity: capacity) { entry, seconds in
            JournalWriter.writeAll(
                format.line(entry, at: seconds, identifier: identifier), to: STDERR_FILENO)
        }
    }

    /// The seam of the tests: `write` says whether it could, and runs on the writer's queue.
    init(
        threshold: Priority, capacity: Int,
        write: @escaping @Sendable (JournalEntry, _ seconds: Int) -> Bool
    ) {
        state = Mutex(State(threshold: threshold))
        self.capacity = capacity
        self.write = write
    }

    /// The least grave lines that are written; a reload may set another.
    public var threshold: Priority {
        get { state.withLock { $0.threshold } }
        set { state.withLock { $0.threshold = newValue } }
    }

    /// The latest lines that tell of something wrong, whether the log took them or not.
    public var problems: RecentProblems { state.withLock { $0.problems } }

    /// Goes on with what another writer, whose place this one takes, has told.
    public func adoptProblems(of other: JournalWriter) {
        let problems = other.problems
        state.withLock { $0.problems = problems }
    }

    /// Takes a line to be written soon, from any queue; it never waits.
    public func send(_ entry: JournalEntry) {
        let line = Stamped(entry: entry, seconds: time(nil))
        let mustStart = state.withLock { state in
            state.problems.note(entry, at: line.seconds)
            guard entry.priority <= state.threshold else { return false }
            if state.waiting.count < capacity {
                state.waiting.append(line)
            } else {
                state.lost += 1
            }
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if mustStart { queue.async { self.drain() } }
    }

    /// Waits until all lines sent so far are written, at most until `deadline`; says whether they were.
    ///
    /// For the end of the process: what is not written by then is lost with it.
    public func flush(until deadline: DispatchTime) -> Bool {
        let written = DispatchSemaphore(value: 0)
        queue.async { written.signal() }
        return written.wait(timeout: deadline) == .success
    }

    /// Calls `body`, on the writer's queue, when all lines sent so far are written.
    public func whenWritten(_ body: @escaping @Sendable () -> Void) {
        queue.async(execute: body)
    }

    private func drain() {
        var failed = 0
        while let (lines, lost) = next() {
            for line in lines where !write(line.entry, line.seconds) { failed += 1 }
            let missing = lost + failed
            guard missing > 0 else { continue }
            let (line, now) = (JournalWriter.linesLost(missing), time(nil))
            // Until it is written, the same lines count again with those that follow.
            failed = write(line, now) ? 0 : missing
            if failed == 0 { state.withLock { $0.problems.note(line, at: now) } }
        }
        guard failed > 0 else { return }
        state.withLock { $0.lost += failed }
    }

    private func next() -> (lines: [Stamped], lost: Int)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isDraining = false
                return nil
            }
            defer { (state.waiting, state.lost) = ([], 0) }
            return (state.waiting, state.lost)
        }
    }

    private static func linesLost(_ count: Int) -> JournalEntry {
        JournalEntry(
            .linesLost,
            "this log lost \(count == 1 ? "1 line" : "\(count) lines") that it did not take; "
                + "events are not affected")
    }

    private static func writeAll(_ line: [UInt8], to descriptor: Int32) -> Bool {
        var written = 0
        while written < line.count {
            let result = line.withUnsafeBytes { bytes in
                Glibc.write(
                    descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if result < 0 && errno == EINTR { continue }
            guard result > 0 else { return false }
            written += result
        }
        return true
    }
}
