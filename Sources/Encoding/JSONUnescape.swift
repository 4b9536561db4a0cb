extension AcceptedJSON {
    /// Writes the UTF-8 of what the inside of a string stands for; returns how many bytes it takes.
    ///
    /// That is at most as many as the text has. An unpaired surrogate becomes U+FFFD.
    public static func unescape(
        _ text: UnsafePointer<UInt8>, _ count: Int, into output: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var at = text
        let end = text + count
        var to = output
        while at < end {
            guard at.pointee == UInt8(ascii: "\\") else {
                copyPlain(&at, end, &to)
                continue
            }
            if at[1] == UInt8(ascii: "u") {
                write(scalar(&at, end), &to)
            } else {
                to.pointee = controlCharacter(at[1])
                at += 2
                to += 1
            }
        }
        return to - output
    }

    /// Copies up to the next backslash or the end, eight bytes at a time while they are there.
    @inline(__always)
    private static func copyPlain(
        _ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>,
        _ to: inout UnsafeMutablePointer<UInt8>
    ) {
        while end - at >= 8 {
            let word = UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
            // A quote ends a string, so none is inside.
            guard stringEnds(word) == 0 else { break }
            UnsafeMutableRawPointer(to).storeBytes(of: word, as: UInt64.self)
            at += 8
            to += 8
        }
        while at < end, at.pointee != UInt8(ascii: "\\") {
            to.pointee = at.pointee
            at += 1
            to += 1
        }
    }

    /// Reads `\uXXXX`, and the second half of a surrogate pair where one follows.
    private static func scalar(
        _ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> UInt32 {
        let first = codeUnit(at + 2)
        at += 6
        guard first & 0xf800 == 0xd800 else { return first }
        guard first < 0xdc00, end - at >= 6, at[0] == UInt8(ascii: "\\"), at[1] == UInt8(ascii: "u")
        else { return 0xfffd }
        let second = codeUnit(at + 2)
        guard second & 0xfc00 == 0xdc00 else { return 0xfffd }
        at += 6
        return 0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)
    }

    private static func write(_ scalar: UInt32, _ to: inout UnsafeMutablePointer<UInt8>) {
        func byte(_ value: UInt32) {
            to.pointee = UInt8(truncatingIfNeeded: value)
            to += 1
        }
        switch scalar {
        case ..<0x80:
            byte(scalar)
        case ..<0x800:
            byte(0xc0 | scalar >> 6)
            byte(0x80 | scalar & 0x3f)
        case ..<0x10000:
            byte(0xe0 | scalar >> 12)
            byte(0x80 | scalar >> 6 & 0x3f)
            byte(0x80 | scalar & 0x3f)
        default:
            byte(0xf0 | scalar >> 18)
            byte(0x80 | scalar >> 12 & 0x3f)
            byte(0x80 | scalar >> 6 & 0x3f)
            byte(0x80 | scalar & 0x3f)
        }
    }

    private static func codeUnit(_ digits: UnsafePointer<UInt8>) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 {
            // A letter's low nibble counts from 1 for A; bit 6 tells letters from digits.
            let digit = UInt32(digits[index])
            value = value << 4 | (digit & 15) + (digit >> 6) * 9
        }
        return value
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
