import Files
import Glibc

/// Another file system with the rights that a test takes from it.
///
/// Sendable: a test and all the work it runs are on one thread.
final class AlteredFileSystem: FileSystem, @unchecked Sendable {
    private let files: any FileSystem
    var unreadable: Set<String> = []
    var hasLeases = true

    init(_ files: any FileSystem) {
        self.files = files
    }

    var user: UInt32 { files.user }

    func open(_ path: String) throws(FileError) -> any OpenFile {
        if unreadable.contains(path) {
            throw FileError(operation: "open", path: path, code: EACCES)
        }
        let file = try files.open(path)
        return hasLeases ? file : FileWithoutLease(file)
    }

    // MARK: As it is

    func makeDirectory(_ path: String, mode: UInt32) throws(FileError) {
        try files.makeDirectory(path, mode: mode)
    }
    func makeDropDirectory(_ path: String) throws(FileError) { try files.makeDropDirectory(path) }
    func forEachName(in path: String, _ body: (String) -> Bool) throws(FileError) {
        try files.forEachName(in: path, body)
    }
    func status(_ path: String) throws(FileError) -> FileStatus? { try files.status(path) }
    func rename(_ from: String, to: String) throws(FileError) { try files.rename(from, to: to) }
    func remove(_ path: String) throws(FileError) { try files.remove(path) }
    func write(_ path: String, _ bytes: [UInt8]) throws(FileError) { try files.write(path, bytes) }
    func append(
        _ path: String, at offset: UInt64, _ bytes: UnsafeRawBufferPointer
    ) throws(FileError) {
        try files.append(path, at: offset, bytes)
    }
    func syncFile(_ path: String) throws(FileError) { try files.syncFile(path) }
    func syncDirectory(_ path: String) throws(FileError) { try files.syncDirectory(path) }
    func syncAll() throws(FileError) { try files.syncAll() }
    func space() throws(FileError) -> FileSystemSpace { try files.space() }
}

private final class FileWithoutLease: OpenFile {
    private let file: any OpenFile

    init(_ file: any OpenFile) {
        self.file = file
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int { try file.read(into: buffer, at: offset) }
    func status() throws(FileError) -> FileStatus { try file.status() }
    func holdOffWriters() -> Writers { .unknown }
    func letWritersIn() {}
}
