/// A small text file of `key: value` lines that knows whether it is whole.
///
/// ```
/// sluice <kind> <version>
/// key: value
/// ...
/// checksum: <FNV-1a 64 of all bytes above, 16 hex digits>
/// ```
///
/// Values stand on one line: `\n`, `\r` and `\` are escaped. A key may come several times. Readable with cat(1).
public struct CheckedText: Sendable, Equatable {
    public enum Fault: Error, Sendable, Equatable {
        /// It ends early, was altered, or is something else.
        case damaged(String)
        /// It was written by a newer version.
        case newer(version: Int)
        case missing(key: String)
    }

    public let kind: String
    public let version: Int
    public private(set) var lines: [(key: String, value: String)] = []

    public init(kind: String, version: Int = 1) {
        self.kind = kind
        self.version = version
    }

    public mutating func add(_ key: String, _ value: some CustomStringConvertible) {
        lines.append((key, value.description))
    }

    public var bytes: [UInt8] {
        var text = "sluice \(kind) \(version)\n"
        for line in lines { text += "\(line.key): \(Self.escaped(line.value))\n" }
        return Array((text + "checksum: \(Self.checksum(text.utf8))\n").utf8)
    }

    /// Reads a file of the given kind, of a version up to `newest`.
    public init(_ bytes: [UInt8], kind: String, newest: Int = 1) throws(Fault) {
        guard let text = String(validating: bytes, as: UTF8.self), text.utf8.last == 0x0a else {
            throw .damaged("it does not end with a whole line")
        }
        // By scalars: a carriage return before a line end would be one character with it.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map { Substring($0) }.dropLast()
        guard let last = lines.popLast(), last.hasPrefix("checksum: ") else {
            throw .damaged("it has no checksum")
        }
        let covered = text.utf8.prefix(text.utf8.count - last.utf8.count - 1)
        guard last.dropFirst("checksum: ".count) == Self.checksum(covered) else {
            throw .damaged("its checksum is wrong")
        }
        let head = (lines.popFirst() ?? "").split(separator: " ")
        guard head.count == 3, head[0] == "sluice", head[1] == kind, let version = Int(head[2])
        else {
            throw .damaged("it is no \(kind)")
        }
        guard version <= newest else { throw .newer(version: version) }
        self.init(kind: kind, version: version)
        for line in lines {
            // By scalars: in a value that begins with a combining mark, the space would be one character with it.
            let scalars = line.unicodeScalars
            guard let colon = scalars.firstIndex(of: ":"),
                scalars[colon...].starts(with: ": ".unicodeScalars)
            else {
                throw .damaged("a line has no key")
            }
            let value = Substring(scalars[colon...].dropFirst(2))
            self.lines.append((String(line[..<colon]), Self.unescaped(value)))
        }
    }

    /// The first value of a key.
    public func value(_ key: String) throws(Fault) -> String {
        guard let line = lines.first(where: { $0.key == key }) else { throw .missing(key: key) }
        return line.value
    }

    public func number<Number: FixedWidthInteger>(_ key: String) throws(Fault) -> Number {
        guard let number = Number(try value(key)) else { throw .damaged("\(key) is no number") }
        return number
    }

    public static func == (left: CheckedText, right: CheckedText) -> Bool {
        left.bytes == right.bytes
    }

    /// FNV-1a: it finds torn and damaged files. Nobody else can write here, so it needs no secret.
    static func checksum(_ bytes: some Sequence<UInt8>) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x0a || $0 == 0x0d || $0 == 0x5c }) else {
            return value
        }
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\\": text += "\\\\"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func unescaped(_ value: Substring) -> String {
        guard value.utf8.contains(0x5c) else { return String(value) }
        var text = ""
        var scalars = value.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "\\", let letter = scalars.next() else {
                text.unicodeScalars.append(scalar)
                continue
            }
            text.unicodeScalars.append(letter == "n" ? "\n" : letter == "r" ? "\r" : letter)
        }
        return text
    }
}

extension CheckedText.Fault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .damaged(let reason): reason
        case .newer(let version): "it has version \(version), which is newer than this program"
        case .missing(let key): "it has no \(key)"
        }
    }
}
