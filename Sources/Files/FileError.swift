import Glibc

/// A system call on a file failed: what was tried, on what, and why.
public struct FileError: Error, Sendable, Equatable {
    /// The call, as its manual page names it: `rename`, `fsync`.
    public var operation: String
    public var path: String
    /// `errno`.
    public var code: Int32

    public init(operation: String, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }
    public var isMissing: Bool { code == ENOENT }
}

extension FileError: CustomStringConvertible {
    public var description: String { "\(operation) \(path): \(errorText(code))" }
}

/// The text of an `errno`, as strerror(3) gives it.
public func errorText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    // The XSI strerror_r that Glibc exports to Swift fills the buffer and always ends it with a zero.
    _ = strerror_r(code, &buffer, buffer.count)
    let text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return text.isEmpty ? "error \(code)" : String(decoding: text, as: UTF8.self)
}
