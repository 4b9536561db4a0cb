import Glibc

/// A directory of a test's own, gone with the test; it holds no directories.
final class TemporaryDirectory {
    let path: String

    init() {
        var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "/tmp must be writable")
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    isolated deinit {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            // The name is an array in C, with a NUL at its end.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { array in
                array.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            unlink(path + "/" + name)
        }
        closedir(directory)
        rmdir(path)
    }
}
