/// Where the scanner stands in a line, and the steps it can take.
///
/// Each step leaves the cursor behind what it read, or at the byte at fault. See `JSONScanner` for what must follow the
/// text, which is what makes reading through a bare pointer safe here.
struct JSONCursor {
    enum Fault { case json, utf8, tooDeep }

    var at: UnsafePointer<UInt8>

    init(_ at: UnsafePointer<UInt8>) {
        self.at = at
    }

    @inline(__always)
    mutating func skipSpace() {
        while at.pointee == 0x20 || at.pointee == 0x09 || at.pointee == 0x0d { at += 1 }
    }

    /// Reads the object at the cursor and notes its members `event_type` and `connector`; the last of a name counts.
    ///
    /// Open arrays and objects are kept as bits, innermost last, so depth costs no recursion.
    mutating func object(_ text: UnsafePointer<UInt8>, _ line: inout EventLine) -> Fault? {
        var open = OpenLevels()
        var member = Member.other
        open.push(object: true)
        at += 1
        skipSpace()
        if at.pointee == UInt8(ascii: "}") {
            at += 1
            return nil
        }
        if let fault = key(&member) { return fault }
        while true {
            // A value is due.
            let valueStart = at
            switch at.pointee {
            case UInt8(ascii: "\""):
                var escaped = false
                if let fault = string(&escaped) { return fault }
                if open.depth == 1, member != .other {
                    line.set(
                        member,
                        .string(start: valueStart + 1 - text, end: at - 1 - text, escaped: escaped))
                }
            case UInt8(ascii: "{"):
                guard open.push(object: true) else { return .tooDeep }
                if open.depth == 2 { line.open(member, at: valueStart - text) }
                at += 1
                skipSpace()
                if at.pointee != UInt8(ascii: "}") {
                    var inner = Member.other
                    if let fault = key(&inner) { return fault }
                    continue
                }
            case UInt8(ascii: "["):
                guard open.push(object: false) else { return .tooDeep }
                if open.depth == 2 { line.open(member, at: valueStart - text) }
                at += 1
                skipSpace()
                if at.pointee != UInt8(ascii: "]") { continue }
            default:
                guard scalar() else { return .json }
                if open.depth == 1, member != .other {
                    line.set(member, .other(start: valueStart - text, end: at - text))
                }
            }
            // A value has ended: close what it closes, then go to the next one.
            closing: while true {
                skipSpace()
                let byte = at.pointee
                if byte == UInt8(ascii: ",") {
                    at += 1
                    skipSpace()
                    if open.insideObject {
                        var next = Member.other
                        if let fault = key(&next) { return fault }
                        if open.depth == 1 { member = next }
                    }
                    break closing
                }
                guard byte == (open.insideObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    return .json
                }
                at += 1
                open.pop()
                if open.depth == 0 { return nil }
                if open.depth == 1 { line.close(member, at: at - text) }
            }
        }
    }

    /// Reads `"name":` and the space after it.
    @inline(__always)
    private mutating func key(_ member: inout Member) -> Fault? {
        guard at.pointee == UInt8(ascii: "\"") else { return .json }
        let start = at + 1
        var escaped = false
        if let fault = string(&escaped) { return fault }
        member = Member(name: UnsafeBufferPointer(start: start, count: at - 1 - start), escaped)
        skipSpace()
        guard at.pointee == UInt8(ascii: ":") else { return .json }
        at += 1
        skipSpace()
        return nil
    }

    /// Reads the string whose opening quote is at the cursor.
    @inline(__always)
    private mutating func string(_ escaped: inout Bool) -> Fault? {
        at += 1
        while true {
            // Eight bytes at a time while all of them are plain ASCII.
            let word = UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
            let special = specialBytes(word)
            if special == 0 {
                at += 8
                continue
            }
            at += special.trailingZeroBitCount >> 3
            let byte = at.pointee
            if byte == UInt8(ascii: "\"") {
                at += 1
                return nil
            }
            if byte == UInt8(ascii: "\\") {
                escaped = true
                guard escape() else { return .json }
            } else if byte >= 0x80 {
                let length = utf8Length(at)
                guard length > 0 else { return .utf8 }
                at += length
            } else {
                return .json
            }
        }
    }

    private mutating func escape() -> Bool {
        switch at[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
            return true
        case UInt8(ascii: "u"):
            // Stops at the first byte that is no digit, so it never reads past the newline.
            for index in 2..<6 where hexDigit(at[index]) == nil {
                at += index
                return false
            }
            at += 6
            return true
        default:
            at += 1
            return false
        }
    }

    /// Reads a number, `true`, `false` or `null`.
    @inline(__always)
    private mutating func scalar() -> Bool {
        switch at.pointee {
        case UInt8(ascii: "t"): literal("true")
        case UInt8(ascii: "f"): literal("false")
        case UInt8(ascii: "n"): literal("null")
        default: number()
        }
    }

    @inline(__always)
    private mutating func literal(_ word: StaticString) -> Bool {
        for index in 0..<word.utf8CodeUnitCount where at[index] != word.utf8Start[index] {
            at += index
            return false
        }
        at += word.utf8CodeUnitCount
        return true
    }

    @inline(__always)
    private mutating func number() -> Bool {
        if at.pointee == UInt8(ascii: "-") { at += 1 }
        if at.pointee == UInt8(ascii: "0") {
            at += 1
        } else {
            guard digits() else { return false }
        }
        if at.pointee == UInt8(ascii: ".") {
            at += 1
            guard digits() else { return false }
        }
        if at.pointee | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at.pointee == UInt8(ascii: "+") || at.pointee == UInt8(ascii: "-") { at += 1 }
            guard digits() else { return false }
        }
        return true
    }

    @inline(__always)
    private mutating func digits() -> Bool {
        let start = at
        while at.pointee &- UInt8(ascii: "0") < 10 { at += 1 }
        return at != start
    }
}

/// The members of an event that routing reads.
enum Member {
    case eventType, connector, other

    @inline(__always)
    init(name: UnsafeBufferPointer<UInt8>, _ escaped: Bool) {
        self = .other
        if escaped {
            let plain = JSONText.unescape(name)
            self = plain.withUnsafeBufferPointer { Member(name: $0, false) }
        } else if let start = name.baseAddress {
            let text = UnsafeRawPointer(start)
            if name.count == 10, Self.word(text) == Self.eventTy,
                text.load(fromByteOffset: 8, as: UInt8.self) == UInt8(ascii: "p"),
                text.load(fromByteOffset: 9, as: UInt8.self) == UInt8(ascii: "e")
            {
                self = .eventType
            } else if name.count == 9, Self.word(text) == Self.connecto,
                text.load(fromByteOffset: 8, as: UInt8.self) == UInt8(ascii: "r")
            {
                self = .connector
            }
        }
    }

    // The first eight letters of the two names, as a word in memory order: compared for each member of each event.
    private static var eventTy: UInt64 { 0x7974_5f74_6e65_7665 }
    private static var connecto: UInt64 { 0x6f74_6365_6e6e_6f63 }

    @inline(__always)
    private static func word(_ text: UnsafeRawPointer) -> UInt64 {
        UInt64(littleEndian: text.loadUnaligned(as: UInt64.self))
    }
}

extension EventLine {
    @inline(__always)
    mutating func set(_ member: Member, _ value: Value) {
        switch member {
        case .eventType: eventType = value
        case .connector: connector = value
        case .other: break
        }
    }

    /// Notes where an array or object that is a member's value begins, and with `close`, where it ends.
    mutating func open(_ member: Member, at start: Int) {
        set(member, .other(start: start, end: start))
    }

    mutating func close(_ member: Member, at end: Int) {
        switch (member, eventType, connector) {
        case (.eventType, .other(let start, _), _): eventType = .other(start: start, end: end)
        case (.connector, _, .other(let start, _)): connector = .other(start: start, end: end)
        default: break
        }
    }
}

/// Which of the open levels are objects, as a stack of bits.
private struct OpenLevels {
    var depth = 0
    private(set) var insideObject = false
    private var bits: InlineArray<8, UInt64> = .init(repeating: 0)

    @inline(__always)
    @discardableResult
    mutating func push(object: Bool) -> Bool {
        guard depth < JSONScanner.deepest else { return false }
        let mask = UInt64(1) << UInt64(depth & 63)
        if object { bits[depth >> 6] |= mask } else { bits[depth >> 6] &= ~mask }
        insideObject = object
        depth += 1
        return true
    }

    @inline(__always)
    mutating func pop() {
        depth -= 1
        guard depth > 0 else { return }
        let top = depth - 1
        insideObject = bits[top >> 6] & (UInt64(1) << UInt64(top & 63)) != 0
    }
}

/// A bit in the top of each byte that ends a run of plain string bytes: a control character, `"`, `\` or non-ASCII.
///
/// Borrows can set a wrong bit only above a right one, so the lowest set bit is always right.
@inline(__always)
private func specialBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5c)
    let control = (word &- (ones &* 0x20)) & ~word
    return (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | control | word)
        & (ones &* 0x80)
}

/// The length of the UTF-8 sequence at `at`, whose first byte is at least 0x80; 0 where it is invalid.
private func utf8Length(_ at: UnsafePointer<UInt8>) -> Int {
    let first = at[0]
    guard first >= 0xc2, first <= 0xf4 else { return 0 }
    // Each byte is looked at only after the one before proved to be no newline.
    let second = at[1]
    if first < 0xe0 { return second & 0xc0 == 0x80 ? 2 : 0 }
    let low: UInt8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80
    let high: UInt8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf
    guard second >= low, second <= high, at[2] & 0xc0 == 0x80 else { return 0 }
    if first < 0xf0 { return 3 }
    return at[3] & 0xc0 == 0x80 ? 4 : 0
}

func hexDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}
