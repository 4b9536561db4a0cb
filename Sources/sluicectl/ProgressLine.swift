import Dispatch
import Glibc

/// One line on the terminal of stderr that is written over and over; nothing where stderr is none.
final class ProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shownAt: DispatchTime?

    /// Between two texts of work that goes on fast.
    private static let pause = 0.2

    /// Shows a text, or does nothing if the last one was a moment ago.
    func show(_ text: () -> String) {
        guard isTerminal else { return }
        let now = DispatchTime.now()
        if let shownAt, now < shownAt + Self.pause { return }
        shownAt = now
        Output.prompt("\r\u{1B}[K" + clipped(text(), to: Output.errorWidth - 1))
    }

    /// Takes it away, for something that stays.
    func clear() {
        guard isTerminal, shownAt != nil else { return }
        shownAt = nil
        Output.prompt("\r\u{1B}[K")
    }
}
