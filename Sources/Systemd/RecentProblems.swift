/// The latest lines that tell of something wrong, for status and the page.
///
/// Lines of one kind about one connector are one problem with a count, so that a trouble which is told hourly does not
/// push out the others.
public struct RecentProblems: Sendable, Equatable {
    /// What is kept of lines that are alike: the newest, and how many there were.
    public struct Problem: Sendable, Equatable {
        public let kind: MessageKind
        public let connector: String?
        /// Of the newest line, as all that follows.
        public fileprivate(set) var priority: Priority
        public fileprivate(set) var text: String
        /// Unix time of the newest line.
        public fileprivate(set) var seconds: Int
        public fileprivate(set) var count: Int
    }

    /// Problems past this number push out the one that was not told for longest.
    public static let limit = 50
    /// Lines less grave than this are no problems.
    public static let threshold = Priority.warning

    /// The one told last comes last.
    private var problems: [Problem] = []

    public init() {}

    public var newestFirst: [Problem] { problems.reversed() }

    /// Takes note of a line, if it tells of something wrong.
    ///
    /// - Parameter seconds: Unix time.
    public mutating func note(_ entry: JournalEntry, at seconds: Int) {
        guard entry.priority <= Self.threshold else { return }
        let connector = entry.connector
        var problem = Problem(
            kind: entry.kind, connector: connector, priority: entry.priority, text: entry.message,
            seconds: seconds, count: 1)
        if let index = problems.firstIndex(where: {
            $0.kind == entry.kind && $0.connector == connector
        }) {
            problem.count += problems.remove(at: index).count
        }
        problems.append(problem)
        if problems.count > Self.limit { problems.removeFirst() }
    }
}

extension JournalEntry {
    fileprivate var connector: String? {
        fields.first { $0.name == .connector }
            .map { EscapedText.of(String(decoding: $0.value, as: UTF8.self)) }
    }
}

extension MessageKind {
    /// Its name where programs read it: `credentials_failing`.
    public var word: String {
        rawValue.reduce(into: "") { word, letter in
            word += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
        }
    }
}
