/// The frame of one gzip member (RFC 1952) around a raw deflate stream.
///
/// ```
/// 1f 8b 08 00  00000000  00 ff   no name, no time: the same bytes whenever it is made
/// blocks of `BlockDeflater`      joined ones, and then a complete one
/// CRC-32, size mod 2^32          little-endian
/// ```
public enum GzipMember {
    public static let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]

    public static func trailer(checksum: CRC32, size: UInt64) -> [UInt8] {
        littleEndian(checksum.value) + littleEndian(UInt32(truncatingIfNeeded: size))
    }

    private static func littleEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
