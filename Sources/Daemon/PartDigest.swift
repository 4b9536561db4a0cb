import Deflate
import Digest
import Files

/// What a part is signed with, and what all of them together are compared by.
nonisolated struct PartDigest: Sendable {
    /// nil: it was not asked for.
    var sha256: SHA256Digest?
    var crc32: UInt32

    private static let pieceBytes = 256 << 10

    /// Reads a part once. It takes as long as the disk and one core do; without the SHA-256 a tenth of that.
    static func of(
        _ range: Range<UInt64>, _ file: any OpenFile, isSigned: Bool
    ) -> Result<PartDigest, ObjectFailure> {
        var sha256 = SHA256()
        var crc32 = CRC32()
        var buffer = [UInt8](repeating: 0, count: pieceBytes)
        var offset = range.lowerBound
        do throws(FileError) {
            while offset < range.upperBound {
                let wanted = Int(min(UInt64(buffer.count), range.upperBound - offset))
                let count = try buffer.withUnsafeMutableBytes { buffer in
                    Result { () throws(FileError) in
                        try file.read(
                            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]),
                            at: offset)
                    }
                }.get()
                guard count > 0 else { return .failure(.damaged(ObjectBody.isShorter)) }
                buffer.withUnsafeBytes { bytes in
                    let piece = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                    if isSigned { sha256.update(piece) }
                    crc32.update(piece)
                }
                offset += UInt64(count)
            }
        } catch {
            return .failure(ObjectFailure(error))
        }
        return .success(PartDigest(sha256: isSigned ? sha256.finish() : nil, crc32: crc32.value))
    }
}
