/// The file system as the spool uses it: one tree, paths relative to its root.
///
/// This is the seam at which tests play the kernel. Every call may block, and every failure is a `FileError`. A call
/// promises no more than the POSIX one it is named after: nothing is durable before a sync that covers it.
public protocol FileSystem: Sendable {
    /// The user that we act as.
    var user: UInt32 { get }

    func makeDirectory(_ path: String, mode: UInt32) throws(FileError)
    /// Makes a directory that producers may drop files into and not list: mode 3730, the group of its parent.
    func makeDropDirectory(_ path: String) throws(FileError)
    /// Takes rights from a directory, or gives it the sticky bit: chmod(2).
    func setMode(_ path: String, _ mode: UInt32) throws(FileError)
    /// Calls `body` with each name in a directory, in no order, until it answers false.
    func forEachName(in path: String, _ body: (String) -> Bool) throws(FileError)
    /// What lies there, by lstat(2); nil where nothing does.
    func status(_ path: String) throws(FileError) -> FileStatus?
    /// Which file it is, by statx(2), not following a link; nil where nothing lies there.
    func place(_ path: String) throws(FileError) -> FilePlace?

    func rename(_ from: String, to: String) throws(FileError)
    /// Removes a name. One that is not there is fine.
    func remove(_ path: String) throws(FileError)

    /// Opens a regular file for reading without following a link or waiting for a FIFO.
    func open(_ path: String) throws(FileError) -> any OpenFile
    /// Creates or replaces a file.
    func write(_ path: String, _ bytes: [UInt8]) throws(FileError)
    /// Writes at an offset of a file, which is made where it is missing.
    func append(
        _ path: String, at offset: UInt64, _ bytes: UnsafeRawBufferPointer
    ) throws(FileError)

    /// Makes or replaces a file of so many bytes that already has all its blocks, by fallocate(2).
    func reserve(_ path: String, size: UInt64) throws(FileError)

    /// fsync(2) of one file.
    func syncFile(_ path: String) throws(FileError)
    /// fsync(2) of one directory: the names in it.
    func syncDirectory(_ path: String) throws(FileError)
    /// syncfs(2): everything written so far to the whole file system.
    func syncAll() throws(FileError)

    func space() throws(FileError) -> FileSystemSpace
}

/// A file open for reading. Closed when the last reference goes.
public protocol OpenFile: AnyObject, Sendable {
    /// Reads up to `buffer.count` bytes at an offset; 0 at the end.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int
    func status() throws(FileError) -> FileStatus
    /// Whether anybody has it open for writing; while `none` is the answer, nobody can, until `letWritersIn`.
    func holdOffWriters() -> Writers
    func letWritersIn()
}

extension OpenFile {
    /// Whether anybody has it open for writing at this moment.
    public func writers() -> Writers {
        defer { letWritersIn() }
        return holdOffWriters()
    }
}

public enum Writers: Sendable, Equatable {
    /// A read lease proved that nobody has it open for writing.
    case none
    case some
    /// No lease is to be had here: the file is another user's and we lack CAP_LEASE, or the file system has none.
    case unknown
}

public struct FileStatus: Sendable, Equatable {
    public enum Kind: String, Sendable, Equatable {
        case regular = "a regular file"
        case directory = "a directory"
        case symbolicLink = "a symbolic link"
        case fifo = "a FIFO"
        case socket = "a socket"
        case device = "a device"
        case other = "no regular file"
    }

    public var kind: Kind
    public var size: UInt64
    public var links: UInt64
    public var inode: UInt64
    /// Nanoseconds since 1970 of the last change of the contents; the owner may set it to anything.
    public var modified: Int64
    /// The same of the last change of anything, a name too; nobody can set it.
    public var changed: Int64
    public var owner: UInt32
    /// The rights of owner, group and others, and above them the sticky, set-group-ID and set-user-ID bits.
    public var mode: UInt32

    public init(
        kind: Kind, size: UInt64, links: UInt64, inode: UInt64, modified: Int64, changed: Int64,
        owner: UInt32, mode: UInt32
    ) {
        self.kind = kind
        self.size = size
        self.links = links
        self.inode = inode
        self.modified = modified
        self.changed = changed
        self.owner = owner
        self.mode = mode
    }
}

public struct FileSystemSpace: Sendable, Equatable {
    public var totalBytes: UInt64
    public var freeBytes: UInt64
    public var totalInodes: UInt64
    public var freeInodes: UInt64

    public init(totalBytes: UInt64, freeBytes: UInt64, totalInodes: UInt64, freeInodes: UInt64) {
        self.totalBytes = totalBytes
        self.freeBytes = freeBytes
        self.totalInodes = totalInodes
        self.freeInodes = freeInodes
    }
}

extension FileSystem {
    public func names(in path: String) throws(FileError) -> [String] {
        var names: [String] = []
        try forEachName(in: path) {
            names.append($0)
            return true
        }
        return names
    }

    /// Reads a whole small file; nil where there is none. More than `limit` bytes is EFBIG.
    public func read(_ path: String, limit: Int = 1 << 20) throws(FileError) -> [UInt8]? {
        let file: any OpenFile
        do { file = try open(path) } catch {
            if error.isMissing { return nil }
            throw error
        }
        let size = Int(try file.status().size)
        guard size <= limit else {
            throw FileError(operation: "read", path: path, code: FileError.tooBig)
        }
        var bytes = [UInt8](repeating: 0, count: size)
        var failure: FileError?
        var filled = 0
        bytes.withUnsafeMutableBytes { buffer in
            do throws(FileError) {
                while filled < size {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    let count = try file.read(into: rest, at: UInt64(filled))
                    if count == 0 { break }
                    filled += count
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        bytes.removeLast(size - filled)
        return bytes
    }

    /// Replaces a small file so that after a crash either the old or the new contents are there, whole.
    public func replace(
        _ path: String, with bytes: [UInt8], in directory: String
    ) throws(FileError) {
        let temporary = path + ".new"
        try write(temporary, bytes)
        try syncFile(temporary)
        try rename(temporary, to: path)
        try syncDirectory(directory)
    }
}
