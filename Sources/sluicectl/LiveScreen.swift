import Glibc
import Model

/// The terminal while it is ours: another screen, no cursor, keys as they are typed.
///
/// `enter` and `leave` may be called in any order and more than once. Source of the sequences: xterm's ctlseqs;
/// what a terminal does not know of them it passes over.
struct LiveScreen: ~Copyable {
    /// The other screen, no cursor, and no new line after a line that is too long.
    private static let begin = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l"
    private static let end = "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    /// How the terminal was; nil where keys come from elsewhere, or while it is not ours.
    private var before: termios?
    private var isOurs = false
    private var shown = ""

    /// That of stdout's terminal; 80 by 24 where it does not say.
    var size: WatchView.Size {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return .init(columns: 80, rows: 24) }
        return .init(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    mutating func enter() {
        guard !isOurs else { return }
        isOurs = true
        shown = ""
        var modes = termios()
        if tcgetattr(STDIN_FILENO, &modes) == 0 {
            before = modes
            // Signals stay: Ctrl-C and Ctrl-Z do what they do elsewhere.
            modes.c_lflag &= ~tcflag_t(ICANON | ECHO)
            // A process in the background waits here until it is in front.
            while tcsetattr(STDIN_FILENO, TCSANOW, &modes) != 0, errno == EINTR {}
        }
        Output.screen(Self.begin)
    }

    mutating func leave() {
        guard isOurs else { return }
        isOurs = false
        Output.screen(Self.end)
        if var before { tcsetattr(STDIN_FILENO, TCSANOW, &before) }
        before = nil
    }

    /// Draws all lines at once, if they are others than before: nothing flickers, and nothing half-drawn is seen.
    mutating func draw(_ lines: [String]) {
        let body = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        guard isOurs, body != shown else { return }
        shown = body
        // Between the first and the last sequence, terminals that know them show nothing.
        Output.screen("\u{1B}[?2026h\u{1B}[H" + body + "\u{1B}[J\u{1B}[?2026l")
    }
}

/// What somebody types on the live screen.
enum WatchKey: Equatable {
    case quit
    /// By lines; negative: back.
    case scroll(Int)
    case page(Int)
    case top, bottom

    /// Takes the keys out of what was typed; the rest is the beginning of one.
    static func read(_ typed: inout [UInt8]) -> [WatchKey] {
        var keys: [WatchKey] = []
        while let first = typed.first {
            guard first == 0x1B else {
                typed.removeFirst()
                if let key = plain(first) { keys.append(key) }
                continue
            }
            guard typed.count > 1 else { break }
            guard [UInt8(ascii: "["), UInt8(ascii: "O")].contains(typed[1]) else {
                typed.removeFirst()
                continue
            }
            // A sequence ends with a letter or a tilde: ECMA-48, section 5.4.
            guard let end = typed.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) })
            else { break }
            if let key = sequences[String(decoding: typed[2...end], as: UTF8.self)] {
                keys.append(key)
            }
            typed.removeFirst(end + 1)
        }
        // Nothing that is typed is so long.
        if typed.count > 16 { typed = [] }
        return keys
    }

    private static func plain(_ byte: UInt8) -> WatchKey? {
        switch byte {
        case UInt8(ascii: "q"), UInt8(ascii: "Q"): .quit
        case UInt8(ascii: "j"), UInt8(ascii: "\n"): .scroll(1)
        case UInt8(ascii: "k"): .scroll(-1)
        case UInt8(ascii: " "), UInt8(ascii: "f"): .page(1)
        case UInt8(ascii: "b"): .page(-1)
        case UInt8(ascii: "g"): .top
        case UInt8(ascii: "G"): .bottom
        default: nil
        }
    }

    private static let sequences: [String: WatchKey] = [
        "A": .scroll(-1), "B": .scroll(1), "5~": .page(-1), "6~": .page(1), "H": .top, "1~": .top,
        "F": .bottom, "4~": .bottom,
    ]
}
