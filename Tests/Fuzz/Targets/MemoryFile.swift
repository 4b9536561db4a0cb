import Files

/// A file system with one file in it, whose reads may be as short as POSIX allows.
///
/// It has what reading an event file and writing a state file take, and nothing else.
final class MemoryFile: FileSystem, OpenFile, @unchecked Sendable {
    // Unchecked: made, used and dropped within one call of a target, on one thread.
    var bytes: [UInt8]
    /// The most that one read gives.
    let readBytes: Int

    init(_ bytes: [UInt8] = [], readBytes: Int = .max) {
        self.bytes = bytes
        self.readBytes = readBytes
    }

    func open(_ path: String) throws(FileError) -> any OpenFile { self }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int {
        guard offset < UInt64(bytes.count) else { return 0 }
        let rest = bytes[Int(offset)...].prefix(min(buffer.count, readBytes))
        rest.withUnsafeBytes { buffer.copyMemory(from: $0) }
        return rest.count
    }

    func status() throws(FileError) -> FileStatus {
        FileStatus(
            kind: .regular, size: UInt64(bytes.count), links: 1, inode: 1, modified: 0, changed: 0,
            owner: 0, mode: 0o600)
    }

    func write(_ path: String, _ bytes: [UInt8]) throws(FileError) { self.bytes = bytes }

    func append(
        _ path: String, at offset: UInt64, _ bytes: UnsafeRawBufferPointer
    ) throws(FileError) {
        precondition(offset == UInt64(self.bytes.count), "what is appended leaves a gap")
        self.bytes += bytes
    }

    func remove(_ path: String) throws(FileError) { bytes = [] }
    func rename(_ from: String, to: String) throws(FileError) {}
    func syncFile(_ path: String) throws(FileError) {}
    func syncDirectory(_ path: String) throws(FileError) {}
    func syncAll() throws(FileError) {}
    func makeDirectory(_ path: String, mode: UInt32) throws(FileError) {}
    func setMode(_ path: String, _ mode: UInt32) throws(FileError) {}
    func place(_ path: String) throws(FileError) -> FilePlace? { nil }
    func reserve(_ path: String, size: UInt64) throws(FileError) {}
    func makeDropDirectory(_ path: String) throws(FileError) {}
    func forEachName(in path: String, _ body: (String) -> Bool) throws(FileError) {}
    func status(_ path: String) throws(FileError) -> FileStatus? { try status() }
    func holdOffWriters() -> Writers { .none }
    func letWritersIn() {}
    var user: UInt32 { 0 }

    func space() throws(FileError) -> FileSystemSpace {
        FileSystemSpace(totalBytes: 1, freeBytes: 1, totalInodes: 1, freeInodes: 1)
    }
}
