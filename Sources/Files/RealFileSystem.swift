internal import CLinux
import Glibc

/// The kernel's file system, below one directory.
///
/// Paths go to the `*at` calls of an open directory, so the tree stays the same one even where somebody renames a
/// directory above it. The descriptor is also the one that syncfs(2) reports write errors to: it stays open for good.
public final class RealFileSystem: FileSystem {
    private let root: Descriptor
    private let rootPath: String

    /// Opens the root directory, which must be there.
    public init(root path: String) throws(FileError) {
        rootPath = path
        root = try Descriptor(opening: path, in: AT_FDCWD, O_RDONLY | O_DIRECTORY, shown: path)
    }

    /// Takes the lock that says that one daemon owns this tree, by flock(2); false where another has it.
    public func lock() throws(FileError) -> Bool {
        if flock(root.number, LOCK_EX | LOCK_NB) == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw failed("flock", ".")
    }

    /// Whether somebody has that lock, for who must not keep it from a daemon. It is had for a moment to see that; a
    /// daemon that starts in this very moment is refused, and started again by its service manager.
    public func isLocked() throws(FileError) -> Bool {
        if flock(root.number, LOCK_SH | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return true }
            throw failed("flock", ".")
        }
        flock(root.number, LOCK_UN)
        return false
    }

    public var user: UInt32 { geteuid() }

    public func makeDirectory(_ path: String, mode: UInt32) throws(FileError) {
        if mkdirat(root.number, path, mode) == 0 {
            // The umask does not count: modes here are promises.
            if fchmodat(root.number, path, mode, 0) != 0 { throw failed("chmod", path) }
        } else if errno != EEXIST {
            throw failed("mkdir", path)
        }
    }

    public func makeDropDirectory(_ path: String) throws(FileError) {
        guard mkdirat(root.number, path, 0o1700) == 0 else {
            if errno == EEXIST { return }
            throw failed("mkdir", path)
        }
        if fchmodat(root.number, path, 0o3730, 0) == 0 { return }
        // A sandbox may forbid to set the set-group-ID bit. The kernel has set it already, from the parent, and an
        // access control list changes the other bits without naming it.
        if errno == EPERM, setxattr(shown(path), "system.posix_acl_access", Self.dropRights) {
            return
        }
        let error = failed("chmod", path)
        // Half made it would stay so.
        _ = unlinkat(root.number, path, AT_REMOVEDIR)
        throw error
    }

    /// The list that stands for mode 1730, as the kernel takes it: version 2, then tag, rights and no ID for each of
    /// owner (rwx), group (wx) and others (none), little-endian. Source: linux/posix_acl_xattr.h.
    private static let dropRights: [UInt8] = [
        2, 0, 0, 0, 0x01, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 0x04, 0, 3, 0, 0xff, 0xff, 0xff, 0xff,
        0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
    ]

    private func setxattr(_ path: String, _ name: String, _ value: [UInt8]) -> Bool {
        CLinux.setxattr(path, name, value, value.count, 0) == 0
    }

    public func setMode(_ path: String, _ mode: UInt32) throws(FileError) {
        if fchmodat(root.number, path, mode, 0) != 0 { throw failed("chmod", path) }
    }

    public func forEachName(in path: String, _ body: (String) -> Bool) throws(FileError) {
        let descriptor = sluice_openat(
            root.number, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw failed("open", path) }
        guard let stream = fdopendir(descriptor) else {
            let error = failed("fdopendir", path)
            close(descriptor)
            throw error
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw failed("readdir", path) }
                return
            }
            // d_name is a zero-ended array inside the entry; its tuple type is only how Swift sees it.
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            if !body(name) { return }
        }
    }

    public func status(_ path: String) throws(FileError) -> FileStatus? {
        var record = stat()
        if fstatat(root.number, path, &record, AT_SYMLINK_NOFOLLOW) == 0 {
            return FileStatus(record)
        }
        if errno == ENOENT { return nil }
        throw failed("stat", path)
    }

    public func place(_ path: String) throws(FileError) -> FilePlace? {
        var place = sluice_file_place()
        if sluice_place(root.number, path, &place) == 0 {
            return FilePlace(
                device: place.device, mount: place.has_mount == 0 ? nil : place.mount,
                inode: place.inode,
                born: place.has_born == 0 ? nil : place.born)
        }
        if errno == ENOENT { return nil }
        throw failed("statx", path)
    }

    public func rename(_ from: String, to: String) throws(FileError) {
        if renameat(root.number, from, root.number, to) != 0 { throw failed("rename", from) }
    }

    public func remove(_ path: String) throws(FileError) {
        if unlinkat(root.number, path, 0) != 0, errno != ENOENT { throw failed("unlink", path) }
    }

    public func open(_ path: String) throws(FileError) -> any OpenFile {
        let descriptor = try Descriptor(
            opening: path, in: root.number, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, shown: shown(path))
        return RealOpenFile(descriptor, path: shown(path))
    }

    public func write(_ path: String, _ bytes: [UInt8]) throws(FileError) {
        let file = try openForWriting(path, O_TRUNC)
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(FileError) in try writeAll(file, bytes, at: 0, path) }
        }
        try result.get()
    }

    public func append(
        _ path: String, at offset: UInt64, _ bytes: UnsafeRawBufferPointer
    ) throws(FileError) {
        try writeAll(openForWriting(path, 0), bytes, at: offset, path)
    }

    public func reserve(_ path: String, size: UInt64) throws(FileError) {
        let file = try openForWriting(path, O_TRUNC)
        while fallocate(file.number, 0, 0, off_t(size)) != 0 {
            if errno != EINTR { throw failed("fallocate", path) }
        }
    }

    public func syncFile(_ path: String) throws(FileError) {
        let file = try Descriptor(
            opening: path, in: root.number, O_RDONLY | O_NOFOLLOW, shown: shown(path))
        if fsync(file.number) != 0 { throw failed("fsync", path) }
    }

    public func syncDirectory(_ path: String) throws(FileError) {
        try syncFile(path)
    }

    public func syncAll() throws(FileError) {
        if syncfs(root.number) != 0 { throw failed("syncfs", ".") }
    }

    public func space() throws(FileError) -> FileSystemSpace {
        var record = statvfs()
        if fstatvfs(root.number, &record) != 0 { throw failed("statvfs", ".") }
        let unit = UInt64(record.f_frsize)
        return FileSystemSpace(
            totalBytes: UInt64(record.f_blocks) * unit, freeBytes: UInt64(record.f_bavail) * unit,
            totalInodes: UInt64(record.f_files), freeInodes: UInt64(record.f_favail))
    }

    private func openForWriting(_ path: String, _ flags: Int32) throws(FileError) -> Descriptor {
        try Descriptor(
            opening: path, in: root.number, O_WRONLY | O_CREAT | O_NOFOLLOW | flags,
            shown: shown(path))
    }

    private func writeAll(
        _ file: Descriptor, _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ path: String
    ) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(
                file.number, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw failed("write", path)
            }
            done += count
        }
    }

    private func shown(_ path: String) -> String { path == "." ? rootPath : rootPath + "/" + path }

    private func failed(_ operation: String, _ path: String) -> FileError {
        FileError(operation: operation, path: shown(path), code: errno)
    }
}

/// An open file of the kernel's.
final class RealOpenFile: OpenFile {
    private let descriptor: Descriptor
    private let path: String

    init(_ descriptor: Descriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FileError) -> Int {
        while true {
            let count = pread(descriptor.number, buffer.baseAddress, buffer.count, off_t(offset))
            if count >= 0 { return count }
            if errno != EINTR { throw FileError(operation: "read", path: path, code: errno) }
        }
    }

    func status() throws(FileError) -> FileStatus {
        var record = stat()
        guard fstat(descriptor.number, &record) == 0 else {
            throw FileError(operation: "fstat", path: path, code: errno)
        }
        return FileStatus(record)
    }

    func holdOffWriters() -> Writers {
        if sluice_take_read_lease(descriptor.number) == 0 { return .none }
        return errno == EAGAIN ? .some : .unknown
    }

    func letWritersIn() {
        // It fails only where there is no lease to give back.
        _ = sluice_release_lease(descriptor.number)
    }
}

/// An open file descriptor; closed with its last reference.
final class Descriptor: Sendable {
    let number: Int32

    init(
        opening path: String, in directory: Int32, _ flags: Int32, shown: String
    ) throws(FileError) {
        let opened = sluice_openat(directory, path, flags | O_CLOEXEC, 0o600)
        // Thrown before the property is set, for deinit would run otherwise.
        if opened < 0 { throw FileError(operation: "open", path: shown, code: errno) }
        number = opened
    }

    deinit {
        // EBADF would mean that somebody closed what is ours: a bug that could hit another file next time.
        precondition(close(number) == 0 || errno != EBADF)
    }
}

extension FileStatus {
    init(_ record: stat) {
        let kind: Kind =
            switch record.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFBLK, S_IFCHR: .device
            default: .other
            }
        self.init(
            kind: kind, size: UInt64(max(0, record.st_size)), links: UInt64(record.st_nlink),
            inode: UInt64(record.st_ino),
            modified: Self.nanoseconds(record.st_mtim), changed: Self.nanoseconds(record.st_ctim),
            owner: record.st_uid, mode: record.st_mode & 0o7777)
    }
}

extension FileStatus {
    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension FileError {
    static var tooBig: Int32 { EFBIG }

    /// The device cannot read it.
    public var isMediaFault: Bool { code == EIO }

    /// We may not.
    public var isRefused: Bool { code == EACCES || code == EPERM }

    /// The file itself is at fault: it may not be read, or became something else. Trying again changes nothing.
    public var isDataFault: Bool { [EACCES, EPERM, ELOOP, ENXIO, ENOENT].contains(code) }

    /// It is no directory, or not one that we may look into.
    public var isNoDirectory: Bool { [EACCES, EPERM, ENOTDIR, ELOOP, ENOENT].contains(code) }

    /// Another process has a lease on it that allows nobody else to open it, and was told to give it back. Its owner
    /// may take the next one, so this need not end.
    public var isHeldByLease: Bool { code == EWOULDBLOCK }

    /// The name may not be given another: the file is immutable, or something is mounted on it.
    public var isPinned: Bool { [EACCES, EPERM, EBUSY].contains(code) }
}
