public import Digest

/// Percent-encoding as Signature Version 4 defines it.
///
/// Everything but `A-Z a-z 0-9 - . _ ~` becomes `%XX` with upper-case digits, byte by byte of the
/// UTF-8. A form encoder is no substitute: a space is `%20`, never `+`.
///
/// Source: "Create a signed AWS API request", UriEncode().
public enum PercentEncoding {
    /// Encodes a name or a value of a query.
    public static func component(_ text: String) -> String {
        encode(text, keepingSlash: false)
    }

    /// Encodes a value that nobody else may see. A byte takes up to three.
    public static func component(_ secret: UnsafeRawBufferPointer, into buffer: SecretBuffer) {
        encode(secret, keepingSlash: false) { buffer.append($0) }
    }

    /// Encodes a path: its slashes stay.
    static func path(_ text: String) -> String {
        encode(text, keepingSlash: true)
    }

    private static func encode(_ text: String, keepingSlash: Bool) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count + 16)
        encode(text.utf8, keepingSlash: keepingSlash) { output.append($0) }
        return String(decoding: output, as: UTF8.self)
    }

    private static func encode(
        _ text: some Sequence<UInt8>, keepingSlash: Bool, _ put: (UInt8) -> Void
    ) {
        for byte in text {
            if isUnreserved(byte) || (keepingSlash && byte == UInt8(ascii: "/")) {
                put(byte)
            } else {
                put(UInt8(ascii: "%"))
                put(digit(byte >> 4))
                put(digit(byte & 15))
            }
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default:
            false
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
