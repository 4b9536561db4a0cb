import Deflate
import Digest
import Files

/// A file while it is hashed: which pieces are taken, and what is known of those that were read.
///
/// `read` may run on several threads at once, for another piece each; `end` is for whoever was told that all is read;
/// everything else is under the hasher's lock.
final class FileInPieces: @unchecked Sendable {
    // Sendable: what changes after `init` is reached under that lock, or by `end` when nobody else is left.
    enum Outcome {
        case begun(FileInPieces)
        case hashed(HashedFile), refused(String), stopped
    }

    /// What came of reading one piece.
    enum Piece {
        case whole(SHA256Digest, CRC32, bytes: Int)
        case short
        case failed(FileError)
        case stopped
    }

    let file: EventFile
    private let opened: any OpenFile
    private let writers: Writers
    private let before: FileStatus
    private let form: ContentDigest.Form
    private var pieces: [Piece?]
    private var (taken, done) = (0, 0)
    /// What comes after a fault is of no use.
    private var isFaulty = false

    /// Who kept a descriptor could write while this is read, so they are held off until it ends.
    init(_ file: EventFile, _ opened: any OpenFile) throws(FileError) {
        (self.file, self.opened) = (file, opened)
        let size = file.name.size
        form = ContentDigest.form(ofFile: size)
        let count = form == .whole ? 1 : (size - 1) / ContentDigest.pieceBytes + 1
        pieces = Array(repeating: nil, count: Int(count))
        writers = opened.holdOffWriters()
        before = try opened.status()
    }

    deinit {
        opened.letWritersIn()
    }

    /// Those that nobody has taken.
    var piecesLeft: Int { isFaulty ? 0 : pieces.count - taken }

    func takePiece() -> Int {
        defer { taken += 1 }
        return taken
    }

    /// True once nothing is left to be read, and nobody reads any more.
    func note(_ piece: Piece, at index: Int) -> Bool {
        pieces[index] = piece
        done += 1
        if case .whole = piece {} else { isFaulty = true }
        return piecesLeft == 0 && done == taken
    }

    /// - Parameters:
    ///   - buffer: for what is read at once.
    ///   - isStopped: asked now and then.
    func read(
        _ index: Int, through buffer: UnsafeMutableRawBufferPointer, isStopped: () -> Bool
    ) -> Piece {
        let range = range(of: index)
        var digest = SHA256()
        var checksum = CRC32()
        var offset = range.lowerBound
        while offset < range.upperBound {
            if isStopped() { return .stopped }
            let room = UnsafeMutableRawBufferPointer(
                rebasing: buffer.prefix(Int(min(range.upperBound - offset, UInt64(buffer.count)))))
            let count: Int
            do throws(FileError) { count = try opened.read(into: room, at: offset) } catch {
                return .failed(error)
            }
            if count == 0 { return .short }
            let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
            digest.update(bytes)
            checksum.update(bytes)
            offset += UInt64(count)
        }
        return .whole(digest.finish(), checksum, bytes: range.count)
    }

    private func range(of index: Int) -> Range<UInt64> {
        let size = file.name.size
        guard form == .pieces else { return 0..<size }
        let start = UInt64(index) * ContentDigest.pieceBytes
        return start..<min(size, start + ContentDigest.pieceBytes)
    }

    /// What all of it comes to.
    func end() throws(FileError) -> Outcome {
        var digests: [SHA256Digest] = []
        var checksum = CRC32()
        var isShort = false
        for piece in pieces {
            switch piece {
            case .whole(let digest, let piece, let bytes):
                digests.append(digest)
                checksum.append(piece, length: bytes)
            case .failed(let error): throw error
            case .stopped: return .stopped
            case .short: isShort = true
            case nil: break
            }
        }
        let after = try opened.status()
        if isShort { return .refused("somebody made it shorter after it was claimed") }
        let isChanged =
            after.size != file.name.size || after.modified != before.modified
            || after.changed != before.changed || writers == .some
        if isChanged { return .refused("somebody wrote into it after it was claimed") }
        return .hashed(
            HashedFile(
                file: file,
                digest: form == .whole
                    ? ContentDigest(whole: digests[0]) : ContentDigest(ofPieces: digests),
                crc32: checksum.value, modified: after.modified))
    }
}
