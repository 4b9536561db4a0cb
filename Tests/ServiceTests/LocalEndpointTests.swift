import Glibc
import HTTPServer
import Testing

@Suite struct LocalEndpointTests {
    private let directory = TemporaryDirectory()
    private var path: String { directory.path + "/http.sock" }

    private func serve() throws(ListenError) -> LocalServer {
        try LocalServer(on: .unix(path: path)) { $0.answer(.text("fine")) }
    }

    private func fileStatus(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    @Test("The socket is for its owner and group")
    func mode() throws {
        let server = try serve()
        defer { server.stop() }
        let status = try #require(fileStatus(path))
        #expect(status.st_mode == S_IFSOCK | 0o660)
        #expect(access(path + ".new", F_OK) != 0)
    }

    @Test("A socket that a dead process left is replaced")
    func stale() async throws {
        try #require(bindAndLeave(path))
        let server = try serve()
        defer { server.stop() }
        let request = "GET / HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\n\r\n"
        #expect(await RawClient.ask(path, request)?.hasSuffix("fine\n") == true)
    }

    @Test("A socket at which somebody listens is not taken away")
    func inUse() throws {
        let first = try serve()
        defer { first.stop() }
        let before = fileStatus(path)?.st_ino
        #expect(throws: ListenError.inUse(path: path)) { try serve() }
        #expect(fileStatus(path)?.st_ino == before)
    }

    @Test("Anything else by that name is left alone")
    func notASocket() throws {
        try #require(symlink("/dev/null", path) == 0)
        #expect(throws: ListenError.notASocket(path: path)) { try serve() }
        #expect(try #require(fileStatus(path)).st_mode & S_IFMT == S_IFLNK)
    }

    @Test("A stopping server leaves the name to whoever has taken it meanwhile")
    func nameTaken() throws {
        let server = try serve()
        try #require(unlink(path) == 0 && bindAndLeave(path))
        server.stop()
        #expect(fileStatus(path) != nil)
    }

    @Test("What cannot be listened at is an error that names it")
    func refusals() {
        let long = "/" + String(repeating: "a", count: 107)
        #expect(throws: ListenError.pathTooLong(long)) {
            try LocalServer(on: .unix(path: long)) { _ in }
        }
        let missing = directory.path + "/missing/http.sock"
        let error = ListenError.system(operation: "bind", endpoint: missing, errno: ENOENT)
        #expect(throws: error) { try LocalServer(on: .unix(path: missing)) { _ in } }
        #expect("\(error)" == "\(missing): bind failed: No such file or directory")
    }

    @Test(
        "Only addresses of the loopback are listened at",
        arguments: [
            ("127.0.0.1", true), ("127.1.2.3", true), ("::1", true), ("0.0.0.0", false),
            ("::", false), ("10.0.0.1", false), ("::2", false), ("localhost", false), ("", false),
        ])
    func loopback(_ address: String, _ isLoopback: Bool) throws {
        do throws(ListenError) {
            try LocalServer(on: .loopback(address: address, port: 0)) { _ in }.stop()
            #expect(isLoopback)
        } catch .system(_, _, EADDRNOTAVAIL) where address == "::1" {
            // This machine has no IPv6.
        } catch {
            #expect(!isLoopback && error == .notLoopback(address: address), "\(error)")
        }
    }

    @Test("A passed socket is served")
    func passed() async throws {
        let descriptor = try #require(listener(path))
        let server = try LocalServer(on: .passed(descriptor: descriptor)) {
            $0.answer(.text("fine"))
        }
        let request = "GET / HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\n\r\n"
        #expect(await RawClient.ask(path, request)?.hasSuffix("fine\n") == true)
        server.stop()
        #expect(fileStatus(path) != nil, "the name is systemd's")
    }

    private func listener(_ path: String) -> Int32? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let bound = withUnsafePointer(to: &address) { pointer in
            // A sockaddr_un starts as a sockaddr, and bind reads no more than the length given.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return bound == 0 && listen(descriptor, 8) == 0 ? descriptor : nil
    }

    /// Leaves a name behind at which nobody listens.
    private func bindAndLeave(_ path: String) -> Bool {
        guard let descriptor = listener(path) else { return false }
        return close(descriptor) == 0
    }
}
