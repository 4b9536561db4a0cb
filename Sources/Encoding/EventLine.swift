/// One scanned line of an event file: where it ends, whether it is an event, and the members that routing needs.
///
/// Offsets count from the start of the scanned buffer. The value is reused from line to line, so that a line costs no
/// allocation.
public struct EventLine: Sendable {
    public enum Outcome: Sendable, Equatable {
        /// Nothing but white space.
        case blank
        /// A JSON object.
        case event
        case refused(LineFault)
    }

    /// A member's value as it stands in the text.
    public enum Value: Sendable, Equatable {
        case missing
        /// The bytes between the quotes; `escaped` where they contain a backslash.
        case string(start: Int, end: Int, escaped: Bool)
        /// Any other value, whole.
        case other(start: Int, end: Int)
    }

    public var outcome = Outcome.blank
    /// The first byte that is not white space.
    public var start = 0
    /// The end of the object: after its closing brace.
    public var end = 0
    /// The byte after the newline.
    public var next = 0
    public var eventType = Value.missing
    public var connector = Value.missing

    public init() {}
}

/// Why a line is no event.
public enum LineFault: Sendable, Equatable {
    case notAnObject
    /// `column` counts bytes from 1.
    case invalidJSON(column: Int)
    case invalidUTF8(column: Int)
    case tooDeep
    case tooLong
}

extension LineFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAnObject: "not a JSON object"
        case .invalidJSON(let column): "invalid JSON at byte \(column) of the line"
        case .invalidUTF8(let column): "invalid UTF-8 at byte \(column) of the line"
        case .tooDeep: "nested deeper than \(JSONScanner.deepest) levels"
        case .tooLong: "longer than \(JSONScanner.longestEvent) bytes"
        }
    }
}
