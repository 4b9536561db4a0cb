import Model
import Testing

@testable import Daemon
@testable import HTTPServer

/// What the control socket is asked for, by method, path and query.
@Suite struct ControlRequestTests {
    private func read(
        _ method: HTTPRequest.Method, _ path: String, _ query: [String: String] = [:]
    ) -> Result<ControlRequest, ControlRequest.Fault> {
        Result { () throws(ControlRequest.Fault) in
            try ControlRequest(HTTPRequest(method: method, path: path, query: query, body: []))
        }
    }

    @Test func `A request is what its path says`() throws {
        let orders = try #require(ConnectorName("orders"))
        #expect(read(.get, "/status", ["x": "y"]) == .success(.status))
        #expect(read(.get, "/healthz") == .success(.health))
        #expect(read(.get, "/") == .success(.page))
        #expect(read(.get, "/history") == .success(.history))
        #expect(read(.get, "/metrics") == .success(.metrics))
        #expect(read(.post, "/drain") == .success(.drain(nil)))
        #expect(read(.post, "/drain", ["connector": "orders"]) == .success(.drain(orders)))
        #expect(read(.get, "/archive") == .success(.archive(nil)))
        #expect(read(.get, "/archive", ["connector": "orders"]) == .success(.archive(orders)))
        #expect(read(.post, "/flush") == .success(.flush(nil)))
        #expect(
            read(.post, "/archive/retry", ["connector": "orders", "batch": "b"])
                == .success(.change(.retryArchive, orders, batch: "b")))
    }

    @Test func `What changes something takes POST, what reads takes GET`() {
        for path in ["/", "/status", "/history", "/metrics", "/healthz", "/archive"] {
            #expect(read(.post, path) == .failure(.method))
        }
        let changing = [
            "/flush", "/drain", "/pause", "/resume", "/discard", "/archive/retry",
            "/archive/discard",
        ]
        for path in changing {
            #expect(read(.get, path, ["connector": "orders"]) == .failure(.method))
        }
    }

    @Test func `Only what just tells how things stand is for everybody`() throws {
        let orders = try #require(ConnectorName("orders"))
        for request in [ControlRequest.page, .status, .history, .metrics, .health] {
            #expect(request.isForEverybody)
        }
        for request in [
            ControlRequest.archive(nil), .flush(nil), .drain(nil),
            .change(.pause, orders, batch: nil),
        ] {
            #expect(!request.isForEverybody)
        }
    }

    @Test func `A path or a connector that is none is refused, as a terminal may show it`() {
        #expect(read(.get, "/statusx") == .failure(.path))
        #expect(read(.get, "/../status") == .failure(.path))
        #expect(read(.post, "/pause") == .failure(.connectorMissing))
        let odd = "../a\u{1B}[31m"
        #expect(read(.post, "/flush", ["connector": odd]) == .failure(.connector(odd)))
        let body = String(
            decoding: ControlRequest.Fault.connector(odd).response.body, as: UTF8.self)
        #expect(body == "there is no connector \"../a\\u001b[31m\"\n")
    }
}
