internal import CLinux
import Glibc

/// Reading a small file by its path, into memory of the caller's.
public enum SmallFile {
    /// Opens a regular file, links followed, and hands its bytes to `take` in pieces.
    ///
    /// The piece is wiped after each: the file may hold a secret. More than `limit` bytes is EFBIG, and what is no
    /// regular file EINVAL; a FIFO or a device is not waited for.
    public static func read(
        _ path: String, limit: Int, _ take: (UnsafeRawBufferPointer) -> Void
    ) throws(FileError) -> FileVersion {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw FileError(operation: "fstat", path: path, code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(operation: "open", path: path, code: EINVAL)
        }
        let code = Descriptors.readAll(descriptor, limit: limit, take)
        if code != 0 { throw FileError(operation: "read", path: path, code: code) }
        return FileVersion(status)
    }
}

enum Descriptors {
    /// Reads to the end; 0, or an `errno`. EFBIG: there is more than `limit`.
    static func readAll(
        _ descriptor: Int32, limit: Int, _ take: (UnsafeRawBufferPointer) -> Void
    ) -> Int32 {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            guard let base = buffer.baseAddress else { return ENOMEM }
            defer { explicit_bzero(base, buffer.count) }
            var total = 0
            while true {
                let count = Glibc.read(descriptor, base, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { return errno }
                if count == 0 { return 0 }
                total += count
                guard total <= limit else { return EFBIG }
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }
}
