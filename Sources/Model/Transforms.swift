/// What is done to members of an event before it is encoded, in every format.
///
/// Names are those of the event's own members, not of members inside them. Routing sees the event as it was.
public struct Transforms: Sendable, Hashable {
    public enum Action: String, Sendable, Hashable, CaseIterable {
        /// A value becomes `redacted`, or null where its type in Avro has no string. null stays null.
        case remove
        /// A string becomes the SHA-256 of its UTF-8 bytes, any other value that of its JSON text: 64 hexadecimal
        /// digits. null stays null.
        case hash
    }

    public static let redacted = "[REDACTED]"

    /// By member.
    public var actions: [String: Action]

    public init(_ actions: [String: Action] = [:]) {
        self.actions = actions
    }

    public var isEmpty: Bool { actions.isEmpty }
}
