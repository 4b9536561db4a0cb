import Files
import Glibc

/// The few looks at the file system that reading a configuration takes.
enum SystemFile {
    /// Far above any configuration; a larger file is a mistake, or not a configuration at all.
    static let largest = 1 << 20

    struct Failure: Error, Equatable {
        var code: CInt

        var isMissing: Bool { code == ENOENT }
        var isPermission: Bool { code == EACCES || code == EPERM }

        /// What the system calls it, in lower case: `permission denied`.
        var reason: String {
            switch code {
            case EFBIG: "larger than 1 MiB, so it is no configuration"
            case EINVAL: "not a regular file"
            default: errorText(code).lowercased()
            }
        }
    }

    struct Status {
        var mode: mode_t
        var size: Int

        var isRegular: Bool { mode & S_IFMT == S_IFREG }
        var isOpenToOthers: Bool { mode & 0o006 != 0 }
    }

    /// The bytes of a regular file. A FIFO or a device is refused without waiting for it.
    static func read(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Failure(code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(code: EINVAL) }

        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(code: errno) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= largest else { throw Failure(code: EFBIG) }
        }
    }

    /// The names in a directory, in ascending order, without `.` and `..`.
    static func names(in directory: String) throws(Failure) -> [String] {
        guard let stream = opendir(directory) else { throw Failure(code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw Failure(code: errno) }
        return names.sorted()
    }

    /// What stat(2) says, symbolic links followed.
    static func status(_ path: String) throws(Failure) -> Status {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Failure(code: errno) }
        return Status(mode: status.st_mode, size: Int(status.st_size))
    }

    static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }
}
