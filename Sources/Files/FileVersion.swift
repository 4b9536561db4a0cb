internal import CLinux
import Glibc

/// Which file lies under a path, and as of when: two that are equal have the same contents.
///
/// Whoever puts a file's times back on purpose is not seen.
public struct FileVersion: Sendable, Equatable {
    private var device: UInt64
    private var inode: UInt64
    private var size: Int64
    /// Nanoseconds since 1970 of the last changes of contents, and of anything.
    private var modified: Int64
    private var changed: Int64

    /// What stat(2) says, links followed; nil where nothing can be reached.
    public init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }

    /// The directories in which a change of names can bring another file under an absolute path: its own, and
    /// those of each link on the way from its last component.
    public static func directories(of path: String) -> [String] {
        var directories: [String] = []
        var path = path
        // As many links as Linux follows at most.
        for _ in 0..<40 {
            let directory = parent(of: path)
            directories.append(directory)
            guard let target = link(path) else { break }
            path = target.hasPrefix("/") ? target : directory + "/" + target
        }
        return directories
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    private static func link(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &target, target.count)
        return count > 0
            ? String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }
}
