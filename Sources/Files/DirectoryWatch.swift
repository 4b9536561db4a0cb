import Glibc

/// An inotify(7) descriptor that hears of names that come, go or change in directories.
///
/// It says only that something happened; what there is now, stat(2) says. Any thread may add directories.
public final class DirectoryWatch: Sendable {
    /// Readable when something happened; never blocks.
    public let descriptor: Int32

    public init() throws(FileError) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else {
            throw FileError(operation: "inotify_init1", path: "", code: errno)
        }
    }

    deinit { close(descriptor) }

    /// Watches a directory, through symbolic links. Watching one twice is watching it once.
    public func add(_ directory: String) throws(FileError) {
        let events =
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB
            | IN_DELETE_SELF | IN_MOVE_SELF
        let mask = UInt32(bitPattern: events) | UInt32(IN_ONLYDIR)
        guard inotify_add_watch(descriptor, directory, mask) >= 0 else {
            throw FileError(operation: "inotify_add_watch", path: directory, code: errno)
        }
    }

    /// Takes what the kernel has to say, and forgets it.
    public func drain() {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            while read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
        }
    }
}
