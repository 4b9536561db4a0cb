/// Where a value or a name lies in the text of an event.
///
/// Eight bytes, so that the fields of a record are noted in one store each. Zero means that there is none: an event
/// begins with its brace, so no value lies at its start.
public struct JSONPiece: Sendable, Equatable {
    @usableFromInline let bits: UInt64

    public static let none = JSONPiece(bits: 0)

    @inlinable @inline(__always)
    init(bits: UInt64) {
        self.bits = bits
    }

    /// Events have at most 900,000 bytes, which leaves the top bit free.
    @inlinable @inline(__always)
    public init(start: Int, end: Int, escaped: Bool) {
        bits =
            UInt64(truncatingIfNeeded: start) | UInt64(truncatingIfNeeded: end) << 32
            | (escaped ? 1 << 63 : 0)
    }

    @inlinable @inline(__always)
    public var isNone: Bool { bits == 0 }
    @inlinable @inline(__always)
    public var start: Int { Int(truncatingIfNeeded: bits & 0xffff_ffff) }
    /// After the last byte: of a string, after its closing quote.
    @inlinable @inline(__always)
    public var end: Int { Int(truncatingIfNeeded: bits >> 32 & 0x7fff_ffff) }
    @inlinable @inline(__always)
    public var count: Int { end - start }
    /// Whether it is a string with a backslash in it.
    @inlinable @inline(__always)
    public var isEscaped: Bool { bits >> 63 != 0 }
}

/// Steps over the text of an event that `JSONScanner` has accepted.
///
/// Nothing is validated again: every step relies on the grammar, and on the newline and the 16 readable bytes after the
/// event. They are inlined into the encoders, where a call each would cost more than the step.
public enum AcceptedJSON {
    @inlinable @inline(__always)
    public static func skipSpace(_ at: inout UnsafePointer<UInt8>) {
        while at.pointee <= 0x20 { at += 1 }
    }

    /// Steps over the colon after a name, and to the value.
    @inlinable @inline(__always)
    public static func skipColon(_ at: inout UnsafePointer<UInt8>) {
        skipSpace(&at)
        at += 1
        skipSpace(&at)
    }

    /// Steps over a value and says where it lies.
    @inlinable @inline(__always)
    public static func value(
        _ text: UnsafePointer<UInt8>, _ at: inout UnsafePointer<UInt8>
    ) -> JSONPiece {
        let start = at
        var escaped = false
        let first = at.pointee
        if first == UInt8(ascii: "\"") {
            escaped = skipString(&at)
        } else if first | 0x20 == UInt8(ascii: "{") {
            skipContainer(&at)
        } else {
            skipScalar(&at)
        }
        return JSONPiece(start: start - text, end: at - text, escaped: escaped)
    }

    /// Steps over the string whose opening quote is at `at`; says whether it has a backslash.
    @inlinable @inline(__always)
    public static func skipString(_ at: inout UnsafePointer<UInt8>) -> Bool {
        var escaped = false
        at += 1
        while true {
            let special = stringEnds(UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
            if special == 0 {
                at += 8
                continue
            }
            at += special.trailingZeroBitCount >> 3
            if at.pointee == UInt8(ascii: "\"") {
                at += 1
                return escaped
            }
            escaped = true
            at += 2
        }
    }

    /// Steps over a number, `true`, `false` or `null`: to a space, a comma or a closing bracket.
    @inlinable @inline(__always)
    public static func skipScalar(_ at: inout UnsafePointer<UInt8>) {
        while true {
            let byte = at.pointee
            if byte <= 0x20 || byte == UInt8(ascii: ",") || byte | 0x20 == UInt8(ascii: "}") {
                return
            }
            at += 1
        }
    }

    /// Steps over the array or object whose bracket is at `at`.
    @inlinable
    public static func skipContainer(_ at: inout UnsafePointer<UInt8>) {
        var depth = 0
        while true {
            switch at.pointee {
            case UInt8(ascii: "\""):
                _ = skipString(&at)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                at += 1
                if depth == 0 { return }
            default:
                at += 1
            }
        }
    }

    /// A bit in the top of each byte that is a quote or a backslash.
    ///
    /// Borrows can set a wrong bit only above a right one, so the lowest set bit is always right.
    @inlinable @inline(__always)
    static func stringEnds(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5c)
        return (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & (ones &* 0x80)
    }
}
