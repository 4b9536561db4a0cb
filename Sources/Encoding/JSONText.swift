/// Small readings of JSON text that the scanner has already found valid.
public enum JSONText {
    /// The bytes that the inside of a string stands for. An unpaired surrogate becomes U+FFFD.
    public static func unescape(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        // Writes no more than the text has.
        [UInt8](unsafeUninitializedCapacity: text.count) { output, count in
            guard let start = text.baseAddress, let room = output.baseAddress else { return }
            count = AcceptedJSON.unescape(start, text.count, into: room)
        }
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
}
