/// Reads the small XML documents that S3 and STS answer with: elements and their text.
///
/// It knows declarations, comments, CDATA, attributes (skipped), the predefined and numeric entities,
/// and drops namespace prefixes. Document types are refused, so nothing can expand. What it cannot read
/// ends the document; what came before stays good, for long bodies are cut off.
///
/// Text is lent as it stands in the document, for it may be a secret; only text with entities is copied.
public struct XMLReader<Bytes: RandomAccessCollection>
where Bytes.Element == UInt8, Bytes.Index == Int {
    public enum Event {
        case start(String)
        case text(Bytes.SubSequence)
        /// A text that had entities in it.
        case decoded(String)
        case end(String)
    }

    /// Deeper documents are neither of S3 nor of STS.
    private static var deepest: Int { 32 }

    private let bytes: Bytes
    private var position = 0
    private var open: [String] = []
    private var pending: Event?

    public init(_ bytes: Bytes) {
        self.bytes = bytes
    }

    /// The next event; nil at the end, or where the document breaks.
    public mutating func next() -> Event? {
        if let event = pending {
            pending = nil
            return event
        }
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else { return text() }
            if skip("<!--") {
                guard find("-->") != nil else { return stop() }
            } else if skip("<?") {
                guard find("?>") != nil else { return stop() }
            } else if skip("<![CDATA[") {
                guard let range = find("]]>"), !open.isEmpty else { return stop() }
                return .text(bytes[range])
            } else if skip("</") {
                return endTag()
            } else {
                return startTag()
            }
        }
        return nil
    }

    /// Text up to the next tag; between the elements of a document it is skipped.
    private mutating func text() -> Event? {
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        let raw = bytes[position..<end]
        position = end
        if open.isEmpty { return next() }
        guard raw.contains(UInt8(ascii: "&")) else { return .text(raw) }
        guard let text = Self.decoded(raw) else { return stop() }
        return .decoded(text)
    }

    private mutating func startTag() -> Event? {
        position += 1
        guard let name = name(), open.count < Self.deepest else { return stop() }
        var quote: UInt8?
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: "<") {
                return stop()
            } else if byte == UInt8(ascii: ">") {
                if bytes[position - 2] == UInt8(ascii: "/") {
                    pending = .end(name)
                } else {
                    open.append(name)
                }
                return .start(name)
            }
        }
        return stop()
    }

    private mutating func endTag() -> Event? {
        guard let name = name(), open.last == name else { return stop() }
        while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 }
        guard skip(">") else { return stop() }
        open.removeLast()
        return .end(name)
    }

    /// A name without its prefix; nil where none stands.
    private mutating func name() -> String? {
        let start = position
        while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
        let name = bytes[start..<position]
        let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        return local.isEmpty ? nil : String(decoding: local, as: UTF8.self)
    }

    private mutating func skip(_ text: StaticString) -> Bool {
        let wanted = String(describing: text).utf8
        guard bytes[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    /// Goes behind the next occurrence of a text; returns what lies before it.
    private mutating func find(_ text: String) -> Range<Int>? {
        guard let range = bytes[position...].firstRange(of: text.utf8) else { return nil }
        defer { position = range.upperBound }
        return position..<range.lowerBound
    }

    private mutating func stop() -> Event? {
        position = bytes.count
        return nil
    }

    /// Replaces entities; nil where one is none.
    private static func decoded(_ raw: Bytes.SubSequence) -> String? {
        var output = ""
        var rest = raw
        while let ampersand = rest.firstIndex(of: UInt8(ascii: "&")) {
            output += String(decoding: rest[..<ampersand], as: UTF8.self)
            rest = rest[(ampersand + 1)...]
            guard let end = rest.prefix(12).firstIndex(of: UInt8(ascii: ";")),
                let character = entity(String(decoding: rest[..<end], as: UTF8.self))
            else { return nil }
            output.unicodeScalars.append(character)
            rest = rest[(end + 1)...]
        }
        return output + String(decoding: rest, as: UTF8.self)
    }

    private static func entity(_ name: String) -> Unicode.Scalar? {
        let known: [String: Unicode.Scalar] = [
            "lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'",
        ]
        if let scalar = known[name] { return scalar }
        let number: UInt32?
        // The digits of a number have no sign, which UInt32 would take.
        if name.utf8.contains(UInt8(ascii: "+")) {
            number = nil
        } else if name.hasPrefix("#x") {
            number = UInt32(name.dropFirst(2), radix: 16)
        } else if name.hasPrefix("#") {
            number = UInt32(name.dropFirst())
        } else {
            number = nil
        }
        return number.flatMap(Unicode.Scalar.init)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (9...13).contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: "."), UInt8(ascii: ":"), 0x80...0xFF:
            true
        default:
            false
        }
    }
}
