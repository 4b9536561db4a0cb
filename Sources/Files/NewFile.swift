internal import CLinux
import Glibc

/// A file that is written under a hidden name and gets its own name whole, never taking another's.
///
/// Not linkat(2) and unlink(2): between the two the file has two links, and who looks then refuses it. A file that
/// was not named is removed with its owner. The directory need not be listable, only writable.
public struct NewFile: ~Copyable {
    private let directory: String
    private let descriptor: Descriptor
    /// The hidden name in full; nil once the file has its own.
    public private(set) var hidden: String?

    /// Makes the file, which only its owner can read until `finish`.
    ///
    /// EEXIST where something has the hidden name, ENOENT where the directory is missing.
    public init(in directory: String, hidden name: String) throws(FileError) {
        let path = directory + "/" + name
        self.directory = directory
        descriptor = try Descriptor(
            opening: path, in: AT_FDCWD, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, shown: path)
        hidden = path
    }

    deinit {
        if let hidden { unlink(hidden) }
    }

    /// Appends all of the bytes.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(descriptor.number, part.baseAddress, part.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed("write") }
            rest = rest.dropFirst(count)
        }
    }

    /// Gives the file its mode, whatever the umask, and makes its bytes durable.
    public func finish(mode: UInt32) throws(FileError) {
        if fchmod(descriptor.number, mode) != 0 { throw failed("chmod") }
        if fsync(descriptor.number) != 0 { throw failed("fsync") }
    }

    /// Gives it a name in its directory, by renameat2(2) with RENAME_NOREPLACE; false where that is taken.
    ///
    /// EINVAL where the file system cannot rename so.
    public mutating func take(name: String) throws(FileError) -> Bool {
        guard let hidden else { preconditionFailure("the file has its name") }
        let path = directory + "/" + name
        if renameat2(AT_FDCWD, hidden, AT_FDCWD, path, SLUICE_RENAME_NOREPLACE) != 0 {
            if errno == EEXIST { return false }
            throw FileError(operation: "rename", path: path, code: errno)
        }
        self.hidden = nil
        return true
    }

    /// When its bytes were last changed, in nanoseconds since 1970: what others will see of it, under any name.
    public func modified() throws(FileError) -> Int64 {
        var status = stat()
        guard fstat(descriptor.number, &status) == 0 else { throw failed("stat") }
        return Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    /// Makes the name durable.
    ///
    /// A directory that may not be read cannot be opened for fsync(2); then the whole file system is synced.
    public func syncName() throws(FileError) {
        let opened = sluice_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard opened >= 0 else {
            if syncfs(descriptor.number) != 0 { throw failed("syncfs") }
            return
        }
        defer { close(opened) }
        if fsync(opened) != 0 { throw failed("fsync") }
    }

    private func failed(_ operation: String) -> FileError {
        FileError(operation: operation, path: hidden ?? directory, code: errno)
    }
}
