/// The rules for names of event types: `[A-Za-z0-9_.-]{1,128}` with no empty part.
///
/// They go into object keys and file names as they are, so nothing else is let through.
public enum EventType {
    /// The longest name, in bytes. With the rest of a key it stays far below S3's 1,024.
    public static let longest = 128

    public static func isValid(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard name.count >= 1, name.count <= longest else { return false }
        var previous = UInt8(ascii: ".")
        for byte in name {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                break
            case UInt8(ascii: "."):
                if previous == UInt8(ascii: ".") { return false }
            default:
                return false
            }
            previous = byte
        }
        return previous != UInt8(ascii: ".")
    }

    public static func isValid(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { isValid($0) }
    }
}
