/// How grave a line is: the levels of syslog(3) that the daemon uses, the gravest first.
public enum Priority: Int32, Sendable, CaseIterable, Comparable {
    case critical = 2
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
    case debug = 7

    /// The name that journalctl(1) and `log_level` use for it.
    public var name: String {
        switch self {
        case .critical: "crit"
        case .error: "err"
        case .warning: "warning"
        case .notice: "notice"
        case .info: "info"
        case .debug: "debug"
        }
    }

    /// nil where no level has this name.
    public init?(name: String) {
        guard let found = Priority.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// Graver is less, as the numbers say.
    public static func < (left: Priority, right: Priority) -> Bool {
        left.rawValue < right.rawValue
    }
}
