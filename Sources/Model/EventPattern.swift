/// A pattern over names of event types: `*` stands for any run of characters, dots too.
public struct EventPattern: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    /// Reads a pattern; nil where it has a character that no event type has.
    public init?(_ text: String) {
        let ok = text.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "*") || byte == UInt8(ascii: ".")
                || EventType.isValid(String(UnicodeScalar(byte)))
        }
        guard ok, !text.isEmpty else { return nil }
        description = text
    }

    public static let all = EventPattern(unchecked: "*")

    private init(unchecked text: String) {
        description = text
    }

    public func matches(_ eventType: String) -> Bool {
        let (pattern, name) = (Array(description.utf8), Array(eventType.utf8))
        // The classic two-finger match: at a mismatch the last star eats one character more.
        var (p, n) = (0, 0)
        var star: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, n)
                p += 1
            } else if p < pattern.count, pattern[p] == name[n] {
                p += 1
                n += 1
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                p = last.pattern + 1
                n = last.name + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
