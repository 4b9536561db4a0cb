import Files

/// Room on the disk that is kept for the moment at which there is none.
///
/// On a disk that is full to the last block a rename may fail, since a directory has to grow; and so may the small
/// files of state. Then the ballast goes, and what frees space can go on: sealing, settling and retiring. It is made
/// again when there is room. Several files, so that it holds inodes as well.
///
/// Where the file system cannot keep room (it copies on write, or has no fallocate(2)), there is none, and settling waits.
struct Ballast {
    private(set) var isThere = false

    static let bytes = UInt64(Limits.ballastFiles) * Limits.ballastFileBytes

    private static var paths: [String] {
        (0..<Limits.ballastFiles).map { "\(SpoolLayout.ballast)/\($0)" }
    }

    /// Takes the room; where that fails, none is kept.
    mutating func make(_ files: any FileSystem) {
        guard !isThere else { return }
        do throws(FileError) {
            for path in Self.paths where try files.status(path)?.size != Limits.ballastFileBytes {
                try files.reserve(path, size: Limits.ballastFileBytes)
            }
            isThere = true
        } catch {
            release(files)
        }
    }

    /// Gives the room back.
    mutating func release(_ files: any FileSystem) {
        isThere = false
        // What cannot be removed now is tried again at the next failure.
        for path in Self.paths { try? files.remove(path) }
    }
}
