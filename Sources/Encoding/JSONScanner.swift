/// Validates one line of JSON and finds the members that routing needs, in a single pass.
///
/// The text must be followed by a newline and `padding` bytes of zero. A newline is illegal inside a JSON object that
/// stands on one line, so it stops every inner loop, and none of them needs to check for the end of the buffer; words
/// of eight bytes may be read past it, into the padding.
///
/// Grammar: RFC 8259. UTF-8: RFC 3629 (no surrogates, no overlong forms).
public enum JSONScanner {
    /// Bytes of zero that must follow the last newline.
    public static let padding = 16
    /// The longest event, in bytes. A longer line is refused: it could not go into a block whole.
    public static let longestEvent = 900_000
    /// The deepest nesting. It bounds the scanner's state; real events have a handful of levels.
    public static let deepest = 512

    /// Scans the line that starts at `start`.
    public static func scan(
        _ text: UnsafePointer<UInt8>, from start: Int, into line: inout EventLine
    ) {
        line.eventType = .missing
        line.connector = .missing
        var cursor = JSONCursor(text + start)
        cursor.skipSpace()
        line.start = cursor.at - text
        switch cursor.at.pointee {
        case newline:
            line.outcome = .blank
            line.end = line.start
            line.next = line.start + 1
            return
        case UInt8(ascii: "{"):
            break
        default:
            refuse(.notAnObject, cursor, text, &line)
            return
        }
        if let fault = cursor.object(text, &line) {
            switch fault {
            case .tooDeep: refuse(.tooDeep, cursor, text, &line)
            case .utf8:
                refuse(.invalidUTF8(column: cursor.at - text - start + 1), cursor, text, &line)
            case .json:
                refuse(.invalidJSON(column: cursor.at - text - start + 1), cursor, text, &line)
            }
            return
        }
        line.end = cursor.at - text
        cursor.skipSpace()
        guard cursor.at.pointee == newline else {
            let column = cursor.at - text - start + 1
            refuse(.invalidJSON(column: column), cursor, text, &line)
            return
        }
        line.next = cursor.at - text + 1
        line.outcome = line.end - line.start > longestEvent ? .refused(.tooLong) : .event
    }

    /// Ends a refused line at its newline.
    private static func refuse(
        _ fault: LineFault, _ cursor: JSONCursor, _ text: UnsafePointer<UInt8>,
        _ line: inout EventLine
    ) {
        var at = cursor.at
        while at.pointee != newline { at += 1 }
        line.end = at - text
        line.next = line.end + 1
        line.outcome = .refused(fault)
    }
}

private let newline = UInt8(ascii: "\n")
