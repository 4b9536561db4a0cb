import Glibc

/// A configuration and a spool of a test's own, gone with the test.
final class SpoolDirectory {
    let path: String
    var incoming: String { path + "/spool/incoming" }

    init() {
        var template = Array("/tmp/sluicectl-test-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "/tmp must be writable")
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        for directory in ["connectors.d", "spool", "spool/incoming", "spool/incoming/orders"] {
            precondition(mkdir(path + "/" + directory, 0o755) == 0)
        }
        write("[spool]\ndirectory = \"\(path)/spool\"\n", to: "sluice.toml")
        write("bucket = \"acme-events\"\n", to: "connectors.d/orders.toml")
    }

    deinit {
        // Deepest first; what is not empty by then stays, and the test has shown why.
        for directory in [
            "spool/incoming/orders", "spool/incoming", "spool", "connectors.d", "",
        ] {
            let full = path + "/" + directory
            for name in names(in: directory) { unlink(full + "/" + name) }
            rmdir(full)
        }
    }

    @discardableResult
    func write(_ text: String, to name: String) -> String {
        let file = path + "/" + name
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        precondition(descriptor >= 0 && Glibc.write(descriptor, text, text.utf8.count) >= 0)
        close(descriptor)
        return file
    }

    /// In ascending order, hidden ones too.
    func names(in directory: String) -> [String] {
        guard let stream = opendir(path + "/" + directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func text(_ name: String) -> String? {
        let descriptor = open(path + "/" + name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }

    func mode(_ name: String) -> mode_t? {
        var status = stat()
        return stat(path + "/" + name, &status) == 0 ? status.st_mode & 0o7777 : nil
    }
}
