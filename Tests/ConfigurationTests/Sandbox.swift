import Configuration
import Glibc
import Model

/// A directory with a configuration in it, gone when the test is over.
final class Sandbox {
    let path: String

    init() {
        var template = Array("/tmp/sluice-configuration-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("mkdtemp: errno \(errno)") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        mkdir(path + "/connectors.d", 0o755)
        mkdir(path + "/schemas", 0o755)
        mkdir(path + "/more", 0o755)
        write("", to: "sluice.toml")
    }

    deinit {
        for directory in ["/connectors.d", "/schemas", "/more", ""].map({ path + $0 }) {
            guard let stream = opendir(directory) else { continue }
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                unlink(directory + "/" + name)
            }
            closedir(stream)
            rmdir(directory)
        }
    }

    @discardableResult
    func write(_ text: String, to name: String, mode: mode_t = 0o644) -> String {
        write(Array(text.utf8), to: name, mode: mode)
    }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o644) -> String {
        let file = path + "/" + name
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count,
            fchmod(descriptor, mode) == 0
        else { fatalError("cannot write \(file): errno \(errno)") }
        close(descriptor)
        return file
    }

    func connector(_ name: String, _ text: String) {
        write(text, to: "connectors.d/\(name).toml")
    }

    func load(_ environment: [String: String] = Sandbox.keys) -> LoadedConfiguration {
        ConfigurationLoader.load(file: path + "/sluice.toml", environment: environment)
    }

    /// An environment with which a connector that names no credentials is no warning.
    static let keys = ["AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"]
}

extension LoadedConfiguration {
    var problemTexts: [String] { problems.map(\.description) }
    var warningTexts: [String] { warnings.map(\.description) }
}
