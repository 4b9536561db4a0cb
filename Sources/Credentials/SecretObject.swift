internal import Digest
internal import Model

/// The members of a JSON object (RFC 8259) whose values may be secret: never in a `String` on the way.
///
/// Strings, and numbers and words as they are written; `null` is left out, and so is what is nested.
nonisolated struct SecretObject {
    private var members: [String: Secret] = [:]

    /// nil: it is no JSON object.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = Reader(bytes: bytes)
        guard let members = reader.object() else { return nil }
        self.members = members
    }

    subscript(name: String) -> Secret? { members[name] }

    func text(_ name: String) -> String? { members[name]?.text }

    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        /// Deeper values are of no issuer.
        private static let deepest = 32

        private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        init(bytes: UnsafeRawBufferPointer) {
            self.bytes = bytes
        }

        mutating func object() -> [String: Secret]? {
            var members: [String: Secret] = [:]
            guard skip("{") else { return nil }
            if skip("}") { return atEnd ? members : nil }
            repeat {
                skipSpace()
                guard let name = string(), skip(":"), let value = value(depth: 1) else {
                    return nil
                }
                if case .text(let text) = value { members[name.text] = text }
            } while skip(",")
            return skip("}") && atEnd ? members : nil
        }

        private enum Value {
            case text(Secret)
            case leftOut
        }

        private var atEnd: Bool {
            mutating get {
                skipSpace()
                return position == bytes.count
            }
        }

        private mutating func value(depth: Int) -> Value? {
            skipSpace()
            guard depth <= Self.deepest else { return nil }
            switch next {
            case UInt8(ascii: "\""):
                return string().map { .text($0) }
            case UInt8(ascii: "{"):
                position += 1
                if skip("}") { return .leftOut }
                repeat {
                    skipSpace()
                    guard string() != nil, skip(":"), value(depth: depth + 1) != nil else {
                        return nil
                    }
                } while skip(",")
                return skip("}") ? .leftOut : nil
            case UInt8(ascii: "["):
                position += 1
                if skip("]") { return .leftOut }
                repeat {
                    guard value(depth: depth + 1) != nil else { return nil }
                } while skip(",")
                return skip("]") ? .leftOut : nil
            default:
                return word()
            }
        }

        /// A number, `true`, `false` or `null`.
        private mutating func word() -> Value? {
            let start = position
            while let next, Self.isWordByte(next) { position += 1 }
            guard position > start else { return nil }
            let word = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
            return word.elementsEqual("null".utf8) ? .leftOut : .text(Secret(copying: word))
        }

        private static func isWordByte(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                || (0x61...0x7A).contains(byte) || [0x2B, 0x2D, 0x2E].contains(byte)
        }

        /// A string; unescaping makes it no longer, so it is written into as many bytes as it has.
        private mutating func string() -> Secret? {
            guard next == UInt8(ascii: "\"") else { return nil }
            let start = position + 1
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
                guard bytes[end] >= 0x20 else { return nil }
                end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
            }
            guard end < bytes.count else { return nil }
            position = end + 1
            let raw = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            guard raw.contains(UInt8(ascii: "\\")) else { return Secret(copying: raw) }
            let plain = SecretBuffer(capacity: raw.count)
            guard Self.unescape(raw, into: plain) else { return nil }
            return plain.withUnsafeBytes { Secret(copying: $0) }
        }

        private static func unescape(_ raw: UnsafeRawBufferPointer, into plain: SecretBuffer)
            -> Bool
        {
            var index = 0
            while index < raw.count {
                guard raw[index] == UInt8(ascii: "\\") else {
                    plain.append(UnsafeRawBufferPointer(rebasing: raw[index...index]))
                    index += 1
                    continue
                }
                guard let (scalar, length) = escape(raw[index...]) else { return false }
                let bytes = Array(String(Character(scalar)).utf8)
                bytes.withUnsafeBytes { plain.append($0) }
                index += length
            }
            return true
        }

        /// What an escape stands for, and how long it is. Half of a surrogate pair is none of ours.
        private static func escape(
            _ raw: Slice<UnsafeRawBufferPointer>
        ) -> (Unicode.Scalar, Int)? {
            guard raw.count >= 2 else { return nil }
            let letter = raw[raw.startIndex + 1]
            if letter == UInt8(ascii: "u") {
                let digits = raw.dropFirst(2).prefix(4)
                guard digits.count == 4, digits.first != UInt8(ascii: "+"),
                    let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
                    let scalar = Unicode.Scalar(value)
                else { return nil }
                return (scalar, 6)
            }
            let plain: [UInt8: Unicode.Scalar] = [
                UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
                UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "n"): "\n",
                UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
            ]
            return plain[letter].map { ($0, 2) }
        }

        private mutating func skipSpace() {
            while let next, [0x20, 0x09, 0x0A, 0x0D].contains(next) { position += 1 }
        }

        private mutating func skip(_ character: Unicode.Scalar) -> Bool {
            skipSpace()
            guard next == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }
    }
}
