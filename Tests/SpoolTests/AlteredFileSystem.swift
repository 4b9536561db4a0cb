import Files
import Glibc

/// Another file system, worse by what a test takes from it.
///
/// Sendable: a test and all the work it runs are on one thread.
final class AlteredFileSystem: FileSystem, @unchecked Sendable {
    private let files: any FileSystem
    var unreadable: Set<String> = []
    /// What cannot be written: the disk is full.
    var full: Set<String> = []
    /// New names for which no directory has room.
    var fullForNames: Set<String> = []
    var hasLeases = true
    /// What lies on another file system.
    var mounted: Set<String> = []
    /// What is free, where a test says it.
    var room: FileSystemSpace?
    /// What another process holds by a lease that lets nobody else open it: files whose paths end so.
    var held: String?
    /// What happens to a file when it is first read.
    var whenRead: ((_ path: String) -> Void)?
    /// What cannot be given another name.
    var pinned: Set<String> = []
    /// The directory whose next sync fails, and what happens meanwhile.
    var unsynced: (path: String, meanwhile: () -> Void)?
    /// From where on the device cannot read files whose paths end so.
    var broken: (suffix: String, from: UInt64)?

    /// Directories whose names were read.
    var listed: Set<String> = []

    init(_ files: any FileSystem) {
        self.files = files
    }

    var user: UInt32 { files.user }

    func open(_ path: String) throws(FileError) -> any OpenFile {
        if unreadable.contains(path) {
            throw FileError(operation: "open", path: path, code: EACCES)
        }
        if let held, path.hasSuffix(held) {
            throw FileError(operation: "open", path: path, code: EWOULDBLOCK)
        }
        let brokenFrom = broken.flatMap { path.hasSuffix($0.suffix) ? $0.from : nil }
        return AlteredFile(
            try files.open(path), path: path, hasLeases: hasLeases, brokenFrom: brokenFrom,
            whenRead: { [weak self] in self?.whenRead?(path) })
    }

    func write(_ path: String, _ bytes: [UInt8]) throws(FileError) {
        if full.contains(path) { throw FileError(operation: "write", path: path, code: ENOSPC) }
        try files.write(path, bytes)
    }

    func syncDirectory(_ path: String) throws(FileError) {
        if let failing = unsynced, failing.path == path {
            unsynced = nil
            failing.meanwhile()
            throw FileError(operation: "fsync", path: path, code: EIO)
        }
        try files.syncDirectory(path)
    }

    // MARK: As it is

    func makeDirectory(_ path: String, mode: UInt32) throws(FileError) {
        try files.makeDirectory(path, mode: mode)
    }
    func makeDropDirectory(_ path: String) throws(FileError) { try files.makeDropDirectory(path) }
    func setMode(_ path: String, _ mode: UInt32) throws(FileError) { try files.setMode(path, mode) }
    func forEachName(in path: String, _ body: (String) -> Bool) throws(FileError) {
        listed.insert(path)
        try files.forEachName(in: path, body)
    }
    func status(_ path: String) throws(FileError) -> FileStatus? { try files.status(path) }
    func place(_ path: String) throws(FileError) -> FilePlace? {
        var place = try files.place(path)
        if mounted.contains(path) { place?.device += 1 }
        return place
    }
    func rename(_ from: String, to: String) throws(FileError) {
        if pinned.contains(from) { throw FileError(operation: "rename", path: from, code: EBUSY) }
        if fullForNames.contains(to) {
            throw FileError(operation: "rename", path: from, code: ENOSPC)
        }
        try files.rename(from, to: to)
    }
    func reserve(_ path: String, size: UInt64) throws(FileError) {
        try files.reserve(path, size: size)
    }
    func remove(_ path: String) throws(FileError) { try files.remove(path) }
    func append(
        _ path: String, at offset: UInt64, _ bytes: UnsafeRawBufferPointer
    ) throws(FileError) {
        try files.append(path, at: offset, bytes)
    }
    func syncFile(_ path: String) throws(FileError) { try files.syncFile(path) }
    func syncAll() throws(FileError) { try files.syncAll() }
    func space() throws(FileError) -> FileSystemSpace {
        if let room { return room }
        return try files.space()
    }
}

/// Sendable: as its file system.
private final class AlteredFile: OpenFile, @unchecked Sendable {
    private let file: any OpenFile
    private let path: String
    private let hasLeases: Bool
    private let brokenFrom: UInt64?
    private let whenRead: () -> Void

    init(
        _ file: any OpenFile, path: String, hasLeases: Bool, brokenFrom: UInt64?,
        whenRead: @escaping () -> Void
    ) {
        self.file = file
        self.path = path
        self.hasLeases = hasLeases
        self.brokenFrom = brokenFrom
        self.whenRead = whenRead
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int {
        whenRead()
        guard let brokenFrom else { return try file.read(into: buffer, at: offset) }
        if offset >= brokenFrom { throw FileError(operation: "read", path: path, code: EIO) }
        let whole = min(buffer.count, Int(brokenFrom - offset))
        return try file.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<whole]), at: offset)
    }
    func status() throws(FileError) -> FileStatus { try file.status() }
    func holdOffWriters() -> Writers { hasLeases ? file.holdOffWriters() : .unknown }
    func letWritersIn() { file.letWritersIn() }
}
