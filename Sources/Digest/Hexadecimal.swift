/// Hexadecimal digits, two a byte, lower case when written.
enum Hexadecimal {
    static func text(of bytes: UnsafeRawBufferPointer) -> String {
        // Writes exactly the capacity asked for: two ASCII digits a byte.
        String(unsafeUninitializedCapacity: 2 * bytes.count) { output in
            if let start = output.baseAddress { write(bytes, to: start) }
            return 2 * bytes.count
        }
    }

    /// Writes two digits a byte.
    static func write(_ bytes: UnsafeRawBufferPointer, to output: UnsafeMutablePointer<UInt8>) {
        for (index, byte) in bytes.enumerated() {
            output[2 * index] = digit(byte >> 4)
            output[2 * index + 1] = digit(byte & 15)
        }
    }

    static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
