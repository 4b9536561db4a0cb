import Glibc

/// Data goes to stdout, what is wrong to stderr.
enum Output {
    enum Colour: String {
        case red = "31"
        case yellow = "33"
        case green = "32"
        case bold = "1"
    }

    static func data(_ line: String) {
        write(line + "\n", to: STDOUT_FILENO)
    }

    /// Where an object is, on a line of its own: programs get it as it is, people what a terminal can show.
    static func address(_ address: ObjectAddress) {
        data(isatty(STDOUT_FILENO) == 1 ? plain(address.description) : address.description)
    }

    static func error(_ line: String) {
        write(line + "\n", to: STDERR_FILENO)
    }

    /// What draws on the terminal of stdout.
    static func screen(_ text: String) {
        write(text, to: STDOUT_FILENO)
    }

    /// A question, without the end of its line.
    static func prompt(_ text: String) {
        write(text, to: STDERR_FILENO)
    }

    /// The text in a colour, if the descriptor is a terminal and `NO_COLOR` (no-color.org) is not set.
    static func coloured(_ text: String, _ colour: Colour, on descriptor: CInt) -> String {
        hasColours(descriptor) ? coloured(text, colour) : text
    }

    static func coloured(_ text: String, _ colour: Colour) -> String {
        "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }

    static func hasColours(_ descriptor: CInt) -> Bool {
        isatty(descriptor) == 1 && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"
    }

    /// Whether signs beyond ASCII can be shown, by the locale: setlocale(3).
    static var isUnicode: Bool {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable)
        let locale = names.first { !$0.isEmpty }?.lowercased() ?? ""
        return locale.contains("utf-8") || locale.contains("utf8")
    }

    /// How many characters a line of stdout may have: those of the terminal, or 80 where it is none.
    static var width: Int { width(STDOUT_FILENO) }

    static var errorWidth: Int { width(STDERR_FILENO) }

    private static func width(_ descriptor: CInt) -> Int {
        var size = winsize()
        guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0,
            size.ws_col > 0
        else { return 80 }
        return Int(size.ws_col)
    }

    /// Text of others, safe for a terminal: control characters, and those that turn the direction
    /// of writing, become U+FFFD.
    static func plain(_ text: String) -> String {
        var plain = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                plain.unicodeScalars.append("\u{FFFD}")
            default: plain.unicodeScalars.append(scalar)
            }
        }
        return plain
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
