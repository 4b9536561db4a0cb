/// Small readings of JSON text that the scanner has already found valid.
public enum JSONText {
    /// The bytes that the inside of a string stands for. An unpaired surrogate becomes U+FFFD.
    public static func unescape(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "\\") else {
                plain.append(text[index])
                index += 1
                continue
            }
            if text[index + 1] == UInt8(ascii: "u") {
                let scalar = unicodeScalar(text, &index)
                plain.append(contentsOf: Array(String(Character(scalar)).utf8))
            } else {
                plain.append(controlCharacter(text[index + 1]))
                index += 2
            }
        }
        return plain
    }

    /// The strings of an array, unescaped; nil where the text is no array of strings.
    public static func strings(_ text: UnsafeBufferPointer<UInt8>) -> [[UInt8]]? {
        guard text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]") else { return nil }
        var strings: [[UInt8]] = []
        var index = 1
        while index < text.count - 1 {
            switch text[index] {
            case UInt8(ascii: "\""):
                let start = index + 1
                index = start
                while text[index] != UInt8(ascii: "\"") {
                    index += text[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                strings.append(unescape(UnsafeBufferPointer(rebasing: text[start..<index])))
                index += 1
            case 0x20, 0x09, 0x0d, UInt8(ascii: ","):
                index += 1
            default:
                return nil
            }
        }
        return strings
    }

    /// Reads `\uXXXX`, and the second half of a surrogate pair where one follows.
    private static func unicodeScalar(
        _ text: UnsafeBufferPointer<UInt8>, _ index: inout Int
    ) -> Unicode.Scalar {
        let first = codeUnit(text, index + 2)
        index += 6
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, index + 6 <= text.count, text[index] == UInt8(ascii: "\\"),
            text[index + 1] == UInt8(ascii: "u")
        else { return "\u{fffd}" }
        let second = codeUnit(text, index + 2)
        guard (0xdc00...0xdfff).contains(second) else { return "\u{fffd}" }
        index += 6
        let value = 0x10000 + (UInt32(first - 0xd800) << 10) + UInt32(second - 0xdc00)
        return Unicode.Scalar(value) ?? "\u{fffd}"
    }

    private static func codeUnit(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> UInt16 {
        (start..<start + 4).reduce(0) { $0 << 4 | (hexDigit(text[$1]) ?? 0) }
    }

    private static func controlCharacter(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0c
        case UInt8(ascii: "n"): 0x0a
        case UInt8(ascii: "r"): 0x0d
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }
}
