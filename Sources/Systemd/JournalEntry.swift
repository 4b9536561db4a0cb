/// One line of the journal: a kind, a sentence for people, and fields for programs.
public struct JournalEntry: Sendable, Equatable {
    public let kind: MessageKind
    public let priority: Priority
    /// One line without control characters, whatever it was made from.
    public let message: String
    public let fields: [JournalField]

    /// - Parameters:
    ///   - message: names the connector or file, what happened and what to do; it is escaped here.
    ///   - priority: the kind's own where nil.
    public init(
        _ kind: MessageKind, _ message: String, _ fields: [JournalField] = [],
        priority: Priority? = nil
    ) {
        self.kind = kind
        self.priority = priority ?? kind.priority
        self.message = EscapedText.of(message)
        self.fields = fields
    }
}
