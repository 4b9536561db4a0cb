/// The frame (RFC 8878, 3.1.1) around blocks that were compressed apart.
///
/// ```
/// 28 b5 2f fd   the magic number
/// 00            neither size nor checksum: both would have to be known before, or made of all blocks in order
/// 48            the window, 512 KiB
/// sections of `BlockCompressor`
/// 01 00 00      an empty last block
/// ```
public enum JoinedFrame {
    static let windowLog = 19

    public static let header: [UInt8] = [
        0x28, 0xB5, 0x2F, 0xFD, 0x00, UInt8((windowLog - 10) << 3),
    ]
    public static let trailer: [UInt8] = [0x01, 0x00, 0x00]
}
