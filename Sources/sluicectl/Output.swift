import Glibc

/// Data goes to stdout, what is wrong to stderr.
enum Output {
    enum Colour: String {
        case red = "31"
        case yellow = "33"
        case bold = "1"
    }

    static func data(_ line: String) {
        write(line + "\n", to: STDOUT_FILENO)
    }

    static func error(_ line: String) {
        write(line + "\n", to: STDERR_FILENO)
    }

    /// The text in a colour, if the descriptor is a terminal and `NO_COLOR` (no-color.org) is not set.
    static func coloured(_ text: String, _ colour: Colour, on descriptor: CInt) -> String {
        guard isatty(descriptor) == 1, variable("NO_COLOR").isEmpty, variable("TERM") != "dumb"
        else {
            return text
        }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }

    private static func variable(_ name: String) -> String {
        getenv(name).map { String(cString: $0) } ?? ""
    }

    /// Writes all of it. Where the reader is gone or the disk full, nobody is left to be told.
    private static func write(_ text: String, to descriptor: CInt) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
