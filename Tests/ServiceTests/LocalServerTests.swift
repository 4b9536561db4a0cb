import Dispatch
import Glibc
import HTTPServer
import Testing

@Suite struct LocalServerTests {
    private let directory = TemporaryDirectory()
    private var path: String { directory.path + "/http.sock" }

    private func get(_ target: String) -> String {
        "GET \(target) HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\n\r\n"
    }

    private func post(_ target: String, _ body: String) -> String {
        "POST \(target) HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test("A request comes with its path, query and body decoded, and is answered at once")
    func immediate() async throws {
        var seen: [HTTPRequest] = []
        let server = try LocalServer(on: .unix(path: path)) { exchange in
            seen.append(exchange.request)
            exchange.answer(.json(Array(#"{"ok":true}"#.utf8), status: 202))
        }
        defer { server.stop() }
        let answer = try #require(
            await RawClient.ask(path, post("/flush%2Fnow?connector=a%20b&connector=c&all", "body")))
        #expect(answer.hasPrefix("HTTP/1.1 202 "))
        #expect(answer.contains("Content-Type: application/json\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n{\"ok\":true}"))
        let request = try #require(seen.first)
        #expect(seen.count == 1 && request.method == .post && request.path == "/flush/now")
        #expect(request.query == ["connector": "a b", "all": ""])
        #expect(request.body == Array("body".utf8))
    }

    @Test("Several requests go over one connection")
    func keepAlive() async throws {
        let server = try LocalServer(on: .unix(path: path)) { $0.answer(.text($0.request.path)) }
        defer { server.stop() }
        let two = "GET /one HTTP/1.1\r\nHost: sluice\r\n\r\n" + get("/two")
        let answer = try #require(await RawClient.ask(path, two))
        #expect(answer.contains("/one\n") && answer.hasSuffix("/two\n"))
    }

    @Test("An answer may come later, and other requests are answered meanwhile")
    func deferred() async throws {
        var waiting: HTTPExchange?
        let server = try LocalServer(on: .unix(path: path)) { exchange in
            if exchange.request.path == "/drain" {
                waiting = exchange
            } else {
                exchange.answer(.text("fine"))
            }
        }
        defer { server.stop() }
        async let drained = RawClient.ask(path, post("/drain", ""))
        try await eventually { waiting != nil }
        #expect(await RawClient.ask(path, get("/status"))?.hasSuffix("fine\n") == true)
        waiting?.answer(.text("drained"))
        waiting?.answer(.text("twice"))
        #expect(await drained?.hasSuffix("\r\n\r\ndrained\n") == true)
    }

    @Test("A request that the daemon forgets is answered with 500")
    func forgotten() async throws {
        let server = try LocalServer(on: .unix(path: path)) { _ in }
        defer { server.stop() }
        #expect(await RawClient.ask(path, get("/"))?.hasPrefix("HTTP/1.1 500 ") == true)
    }

    @Test("Clients that give up waiting for a late answer free their places")
    func hangup() async throws {
        var waiting: [HTTPExchange] = []
        let server = try LocalServer(on: .unix(path: path), connectionLimit: 2) { exchange in
            if exchange.request.path == "/drain" {
                waiting.append(exchange)
            } else {
                exchange.answer(.text("fine"))
            }
        }
        defer { server.stop() }
        var clients = [RawClient(path), RawClient(path)]
        for client in clients { client?.send(post("/drain", "")) }
        try await eventually { waiting.count == 2 }
        clients = []
        #expect(await RawClient.ask(path, get("/status"))?.hasSuffix("fine\n") == true)
        for exchange in waiting { exchange.answer(.text("too late")) }
        #expect(await RawClient.ask(path, get("/status"))?.hasSuffix("fine\n") == true)
    }

    @Test("A stopping server tells those who wait, and removes its name")
    func stopping() async throws {
        var waiting: HTTPExchange?
        let server = try LocalServer(on: .unix(path: path)) { waiting = $0 }
        async let answer = RawClient.ask(path, get("/drain"))
        try await eventually { waiting != nil }
        server.stop()
        #expect(await answer?.hasPrefix("HTTP/1.1 503 ") == true)
        #expect(access(path, F_OK) != 0)
        waiting?.answer(.text("too late"))
        server.stop()
    }

    @Test(
        "Methods other than GET and POST are refused", arguments: ["PUT", "DELETE", "HEAD", "BREW"])
    func methods(_ method: String) async throws {
        let server = try LocalServer(on: .unix(path: path)) { $0.answer(.text("asked")) }
        defer { server.stop() }
        let answer = try #require(
            await RawClient.ask(
                path, "\(method) / HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\n\r\n"))
        #expect(answer.hasPrefix("HTTP/1.1 405 ") && answer.contains("Allow: GET, POST\r\n"))
        #expect(!answer.contains("asked"))
    }

    @Test("A body up to the limit is taken, a longer one refused before it is read")
    func oversize() async throws {
        var sizes: [Int] = []
        let server = try LocalServer(on: .unix(path: path)) { exchange in
            sizes.append(exchange.request.body.count)
            exchange.answer(.text("taken"))
        }
        defer { server.stop() }
        let limit = LocalServer.bodyLimit
        let most = String(repeating: "x", count: limit)
        #expect(await RawClient.ask(path, post("/", most))?.hasSuffix("taken\n") == true)
        let head = "POST / HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\n"
        let announced = head + "Content-Length: \(limit + 1)\r\n\r\n"
        #expect(await RawClient.ask(path, announced)?.hasPrefix("HTTP/1.1 413 ") == true)
        let chunk = "8000\r\n" + String(repeating: "x", count: 0x8000) + "\r\n"
        let chunked = head + "Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk + chunk
        #expect(await RawClient.ask(path, chunked) == "")
        #expect(sizes == [limit])
    }

    @Test(
        "Garbage is refused and the next request is answered",
        arguments: [
            "\r\n\r\n\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "GET /" + String(repeating: "a", count: 100_000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
        ])
    func garbage(_ text: String) async throws {
        var asked = 0
        let server = try LocalServer(on: .unix(path: path), silenceLimit: .seconds(1)) { exchange in
            asked += 1
            exchange.answer(.text("fine"))
        }
        defer { server.stop() }
        let answer = try #require(await RawClient.ask(path, text))
        #expect(answer == "" || answer.hasPrefix("HTTP/1.1 4") || answer.hasPrefix("HTTP/1.1 5"))
        #expect(asked == 0)
        #expect(await RawClient.ask(path, get("/"))?.hasSuffix("fine\n") == true)
    }

    @Test("Silent clients fill all places only for a while")
    func silence() async throws {
        let server = try LocalServer(
            on: .unix(path: path), connectionLimit: 2, silenceLimit: .seconds(1)
        ) { $0.answer(.text("fine")) }
        defer { server.stop() }
        let silent = [RawClient(path), RawClient(path)]
        silent[1]?.send("GET / HT")
        #expect(await RawClient.ask(path, get("/"))?.hasSuffix("fine\n") == true)
        // The library says 408 to whom it can.
        #expect(await silent[0]?.readToEnd() != nil)
        #expect(await silent[1]?.readToEnd() != nil)
    }

    @Test("An answer larger than the socket's buffer arrives whole")
    func largeAnswer() async throws {
        let body = [UInt8](repeating: UInt8(ascii: "y"), count: 3_000_000)
        let server = try LocalServer(on: .unix(path: path)) { $0.answer(.json(body)) }
        defer { server.stop() }
        let answer = try #require(await RawClient.ask(path, get("/")))
        #expect(answer.utf8.count > body.count && answer.hasSuffix("yyyy"))
    }
}

/// Waits until `condition` holds. The bound only ends what hangs: tests that run beside this one can keep every core busy
/// for a minute.
private func eventually(_ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while !condition() {
        try #require(ContinuousClock.now < deadline, "it did not happen")
        await Task.yield()
    }
}
