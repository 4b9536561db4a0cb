/// Reads a JSON text (RFC 8259) into a tree.
///
/// Bounded in depth; the length is for the caller to bound. A number that is no `Int` is kept as it is
/// written, and of members with one name the last counts.
public struct JSONReader {
    public struct Failure: Error, Equatable {
        /// Bytes before the place where it goes wrong.
        public var offset: Int

        public init(offset: Int) {
            self.offset = offset
        }
    }

    /// Nested arrays and objects. Each takes a stack frame or two.
    public static let deepest = 64

    private let bytes: [UInt8]
    private var position = 0

    public static func read(_ bytes: [UInt8]) throws(Failure) -> JSONText {
        var reader = JSONReader(bytes: bytes)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.failure }
        return value
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var failure: Failure { Failure(offset: position) }
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let next, [0x20, 0x09, 0x0A, 0x0D].contains(next) { position += 1 }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONText {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: JSONText) throws(Failure) -> JSONText {
        guard bytes[position...].starts(with: word.utf8) else { throw failure }
        position += word.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONText {
        guard depth <= Self.deepest else { throw failure }
        position += 1
        var members: [(String, JSONText)] = []
        skipSpace()
        if skip("}") { return .object(members) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure }
            let name = try string()
            skipSpace()
            guard skip(":") else { throw failure }
            members.append((name, try value(depth: depth)))
            skipSpace()
        } while skip(",")
        guard skip("}") else { throw failure }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Failure) -> JSONText {
        guard depth <= Self.deepest else { throw failure }
        position += 1
        var elements: [JSONText] = []
        skipSpace()
        if skip("]") { return .array(elements) }
        repeat {
            elements.append(try value(depth: depth))
            skipSpace()
        } while skip(",")
        guard skip("]") else { throw failure }
        return .array(elements)
    }

    private mutating func number() throws(Failure) -> JSONText {
        let start = position
        _ = skip("-")
        if !skip("0") { try digits() }
        if skip(".") { try digits() }
        if skip("e") || skip("E") {
            if !skip("+") { _ = skip("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        return Int(text).map { .integer($0) } ?? .number(text)
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while let next, (0x30...0x39).contains(next) { position += 1 }
        guard position > start else { throw failure }
    }

    // MARK: Strings

    private mutating func string() throws(Failure) -> String {
        position += 1
        var text = ""
        while true {
            let start = position
            while let next, next != UInt8(ascii: "\""), next != UInt8(ascii: "\\"), next >= 0x20 {
                position += 1
            }
            guard let piece = String(validating: bytes[start..<position], as: UTF8.self) else {
                throw Failure(offset: start)
            }
            text += piece
            if skip("\"") { return text }
            guard skip("\\") else { throw failure }
            text.unicodeScalars.append(try escape())
        }
    }

    private mutating func escape() throws(Failure) -> Unicode.Scalar {
        guard let letter = next else { throw failure }
        guard letter == UInt8(ascii: "u") else {
            guard let scalar = Self.escapes[letter] else { throw failure }
            position += 1
            return scalar
        }
        let first = try unit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // A character beyond U+FFFF is written as two: RFC 8259, section 7.
        guard (0xD800..<0xDC00).contains(first), skip("\\"), next == UInt8(ascii: "u") else {
            throw failure
        }
        let second = try unit()
        guard (0xDC00..<0xE000).contains(second) else { throw failure }
        let code = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
        guard let scalar = Unicode.Scalar(code) else { throw failure }
        return scalar
    }

    /// The four digits after a `u`.
    private mutating func unit() throws(Failure) -> UInt16 {
        position += 1
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4,
            digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw failure }
        position += 4
        return unit
    }

    private static let escapes: [UInt8: Unicode.Scalar] = [
        UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
        UInt8(ascii: "b"): "\u{08}", UInt8(ascii: "f"): "\u{0C}", UInt8(ascii: "n"): "\n",
        UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]
}
