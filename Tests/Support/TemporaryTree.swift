import Glibc

/// A directory of a test's own, with all that lies below it; gone when the last reference goes.
///
/// It speaks to the kernel by itself, so it can judge what the code under test did. Paths are relative to it.
public final class TemporaryTree: Sendable {
    public let path: String

    public init() {
        var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "/tmp must be writable")
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        removeDirectory(".")
    }

    private func removeDirectory(_ name: String) {
        for entry in names(name) {
            let path = "\(name)/\(entry)"
            // unlink(2) takes everything but a directory, and follows no link.
            if unlink(at(path)) != 0 { removeDirectory(path) }
        }
        rmdir(name == "." ? path : at(name))
    }

    public func at(_ name: String) -> String { path + "/" + name }

    public func makeDirectory(_ name: String) {
        precondition(mkdir(at(name), 0o700) == 0, "mkdir \(name): errno \(errno)")
    }

    /// Writes a file whole, and closes it.
    public func write(_ name: String, _ bytes: [UInt8]) {
        close(openForAppending(name, bytes))
    }

    public func write(_ name: String, _ text: String) {
        write(name, Array(text.utf8))
    }

    /// Adds to a file and leaves it open, as a producer at work does; the caller closes the descriptor.
    public func openForAppending(_ name: String, _ bytes: [UInt8]) -> Int32 {
        let descriptor = open(at(name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        precondition(descriptor >= 0, "open \(name): errno \(errno)")
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            precondition(count > 0, "write \(name): errno \(errno)")
            done += count
        }
        return descriptor
    }

    /// nil where there is none.
    public func contents(_ name: String) -> [UInt8]? {
        let descriptor = open(at(name), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(descriptor, &block, block.count), count > 0 {
            bytes += block[..<count]
        }
        return bytes
    }

    public func text(_ name: String) -> String? {
        contents(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The names in a directory, sorted.
    public func names(_ name: String = ".") -> [String] {
        guard let directory = opendir(at(name)) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            // d_name is a zero-ended array inside the entry; its tuple type is only how Swift sees it.
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
