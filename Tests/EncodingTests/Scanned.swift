import Encoding
import Support

/// One scanned line, with what it says copied out of the text.
struct Scanned: Equatable {
    enum Value: Equatable {
        case missing
        /// What the string stands for.
        case string(String)
        /// The text of any other value.
        case other(String)
    }

    let outcome: EventLine.Outcome
    /// The event's own bytes, or those of the refused line without the space before it.
    let bytes: String
    let eventType: Value
    let connector: Value
    /// How many bytes the line takes, its newline included.
    let length: Int

    /// Scans a text that holds no newline.
    init(_ text: [UInt8], in memory: GuardedText) {
        let place = memory.place(text)
        var line = EventLine()
        JSONScanner.scan(place, from: 0, into: &line)
        func copy(_ start: Int, _ end: Int) -> UnsafeBufferPointer<UInt8> {
            UnsafeBufferPointer(start: place + start, count: end - start)
        }
        func value(_ value: EventLine.Value) -> Value {
            switch value {
            case .missing: .missing
            case .string(let start, let end, false):
                .string(String(decoding: copy(start, end), as: UTF8.self))
            case .string(let start, let end, true):
                .string(String(decoding: JSONText.unescape(copy(start, end)), as: UTF8.self))
            case .other(let start, let end):
                .other(String(decoding: copy(start, end), as: UTF8.self))
            }
        }
        outcome = line.outcome
        bytes = String(decoding: copy(line.start, line.end), as: UTF8.self)
        length = line.next
        let isEvent = line.outcome == .event
        eventType = isEvent ? value(line.eventType) : .missing
        connector = isEvent ? value(line.connector) : .missing
    }

    init(_ text: [UInt8]) {
        self.init(text, in: GuardedText(capacity: text.count))
    }

    init(_ text: String) {
        self.init(Array(text.utf8))
    }
}
