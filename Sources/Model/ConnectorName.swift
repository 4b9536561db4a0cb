/// The name of a connector: `[a-z0-9][a-z0-9-]{0,62}`. It names files and directories as it is.
public struct ConnectorName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let description: String

    /// Reads a name; nil where it breaks the rule.
    public init?(_ text: some StringProtocol) {
        guard (1...63).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "-"),
            text.utf8.allSatisfy({ byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-")
            })
        else { return nil }
        description = String(text)
    }

    public static func < (left: ConnectorName, right: ConnectorName) -> Bool {
        left.description < right.description
    }
}
