import Avro
import Zstandard

/// What an object is, told by its first bytes and never by its name.
enum ObjectKind: Equatable {
    case avro, gzip, zstd, lines

    /// How many bytes tell.
    static let bytes = 64

    init(firstBytes: ArraySlice<UInt8>) throws(Refusal) {
        if firstBytes.starts(with: ContainerHeader.magic) {
            self = .avro
        } else if firstBytes.starts(with: [0x1F, 0x8B]) {
            self = .gzip
        } else if firstBytes.starts(with: FrameReader.magic) {
            self = .zstd
        } else {
            let isSpace = { (byte: UInt8) in [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
            let first = firstBytes.first { !isSpace($0) }
            guard first == nil || first == UInt8(ascii: "{") else {
                throw Refusal(
                    "it is no Avro container, no gzip or zstd data and no JSON Lines: it begins with "
                        + "the bytes \(Self.hexadecimal(firstBytes.prefix(4)))")
            }
            self = .lines
        }
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}
