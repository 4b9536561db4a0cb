import Digest
import Model
import Spool
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

    @Test func `The quarantine is asked for things by their IDs`() throws {
        let id = try #require(QuarantineID("1f-events"))
        let orders = try #require(ConnectorName("orders"))
        func ask(
            _ method: HTTPRequest.Method, _ path: String, _ query: [String: String] = [:]
        ) -> Result<ControlRequest, ControlRequest.Fault> {
            read(method, "/quarantine\(path)", query)
        }
        #expect(ask(.get, "") == .success(.quarantine(.list(after: nil, limit: 100))))
        #expect(
            ask(.get, "", ["after": "1f-events", "limit": "3"])
                == .success(.quarantine(.list(after: id, limit: 3))))
        #expect(
            ask(.get, "/item", ["id": "1f-events"])
                == .success(.quarantine(.lines(id, limit: 10))))
        #expect(
            ask(.get, "/bytes", ["id": "1f-events", "from": "9"])
                == .success(.quarantine(.bytes(id, from: 9))))
        #expect(
            ask(.post, "/retry", ["id": "1f-events", "connector": "orders"])
                == .success(.quarantine(.decide(.retry(orders), id))))
        #expect(
            ask(.post, "/discard", ["id": "all"])
                == .success(.quarantine(.decide(.discard, nil))))
        // Nothing is given up that was not named.
        #expect(ask(.post, "/discard") == .failure(.idMissing))
        #expect(ask(.post, "/discard", ["id": "../x"]) == .failure(.id("../x")))
        #expect(ask(.get, "", ["limit": "-1"]) == .failure(.number("-1")))
        #expect(ask(.get, "/discard", ["id": "all"]) == .failure(.method))
    }

    @Test func `An object is asked for by its connector and key, and by what its file is`() throws {
        let orders = try #require(ConnectorName("orders"))
        func ask(_ query: [String: String]) -> Result<ControlRequest, ControlRequest.Fault> {
            read(.get, "/object", query)
        }
        var question = ObjectQuestion(connector: orders, key: "a/b")
        #expect(ask(["connector": "orders", "key": "a/b"]) == .success(.object(question)))
        question.name = "b"
        question.digest = ContentDigest(whole: SHA256.digest(of: "x"))
        question.since = Timestamp(unixSeconds: 7)
        #expect(
            ask([
                "connector": "orders", "key": "a/b", "name": "b", "since": "7",
                "sha256": SHA256.digest(of: "x").hex,
            ]) == .success(.object(question)))
        #expect(ask(["key": "a"]) == .failure(.connectorMissing))
        #expect(ask(["connector": "orders"]) == .failure(.keyMissing))
        let long = String(repeating: "k", count: 1025)
        for key in ["", long] {
            #expect(ask(["connector": "orders", "key": key]) == .failure(.keyMissing))
        }
        let known = ["connector": "orders", "key": "a"]
        #expect(ask(known.merging(["sha256": "5e"]) { $1 }) == .failure(.number("5e")))
        #expect(ask(known.merging(["since": "x"]) { $1 }) == .failure(.number("x")))
        #expect(read(.post, "/object", known) == .failure(.method))
        #expect(!ControlRequest.object(question).isForEverybody)
    }

    @Test func `What changes something takes POST, what reads takes GET`() {
        let reading = [
            "/", "/status", "/history", "/metrics", "/healthz", "/archive", "/quarantine",
        ]
        for path in reading {
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
            .change(.pause, orders, batch: nil), .quarantine(.list(after: nil, limit: 1)),
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
