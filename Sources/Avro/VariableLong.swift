/// Avro's int and long: zig-zag, then seven bits a byte, the lowest first, the top bit set on all but the last.
///
/// Source: the Apache Avro 1.12 specification, "Binary Encoding".
enum VariableLong {
    /// 64 bits, seven a byte.
    static let longest = 10

    static func append(_ number: Int64, to bytes: inout [UInt8]) {
        // Zig-zag: 0, -1, 1, -2 … are 0, 1, 2, 3 …
        var rest = UInt64(bitPattern: number << 1 ^ number >> 63)
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// What reading a number came to.
    enum Reading: Equatable {
        case number(Int64, length: Int)
        /// The bytes end before the number does.
        case incomplete
        /// No long is so large.
        case impossible
    }

    /// Reads the number at the start of the bytes.
    static func read(_ bytes: some Sequence<UInt8>) -> Reading {
        var (value, length) = (UInt64(0), 0)
        for byte in bytes {
            // Of the tenth byte only the lowest bit is left.
            if length == longest - 1, byte > 1 { return .impossible }
            value |= UInt64(byte & 0x7F) << (7 * UInt64(length))
            length += 1
            if byte < 0x80 {
                let number = Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
                return .number(number, length: length)
            }
        }
        return .incomplete
    }
}
