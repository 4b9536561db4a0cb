import Digest
import Dispatch
import Glibc
import ScriptedStore
import Testing

@testable import Curl

@Suite(.timeLimit(.minutes(2)))
struct TransportTests {
    @Test("A body that comes in pieces arrives whole", arguments: [1, 70_000, 3_000_000])
    func pieces(_ count: Int) async throws {
        try await withScriptedS3 { server in
            let bytes = pattern(count)
            let body = TrickledBody(bytes, piece: 40_000)
            let response = try await server.send(server.put("/b/k", body)).get()
            #expect(response.status == 200)
            let object = try #require(try await server.objects()["b/k"])
            #expect(object.size == count)
            #expect(object.sha256 == bytes.withUnsafeBytes { SHA256.digest(of: $0) }.hex)
            let request = try #require(try await server.log().requests.first)
            let expected = count >= 1 << 20 ? "100-continue" : nil
            #expect(request.header("expect") == expected)
        }
    }

    @Test("Requests one after another share a connection")
    func reuse() async throws {
        try await withScriptedS3 { server in
            for number in 0..<20 {
                let request = server.put("/b/\(number)", BytesBody(pattern(1000)))
                let status = try await server.status(request)
                #expect(status == 200)
            }
            let log = try await server.log()
            #expect(log.requests.count == 20)
            #expect(log.connections == 1)
        }
    }

    @Test("200 parallel uploads use no more connections than allowed, and all end")
    func bounded() async throws {
        try await withScriptedS3(limits: .init(total: 16, perOrigin: 6)) { server in
            var outcomes: [TransferOutcome] = []
            await withCheckedContinuation { continuation in
                for number in 0..<200 {
                    let body = TrickledBody(pattern(20_000), piece: 9000)
                    server.transport.start(server.put("/b/\(number)", body)) { outcome in
                        outcomes.append(outcome)
                        if outcomes.count == 200 { continuation.resume() }
                    }
                }
                #expect(server.transport.load == (running: 0, waiting: 200))
            }
            #expect(try outcomes.allSatisfy { try $0.get().status == 200 })
            let log = try await server.log()
            #expect((1...6).contains(log.peak))
            let objects = try await server.objects()
            #expect(objects.count == 200)
        }
    }

    @Test("An answer that never came may follow a request that was carried out")
    func lostAnswer() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "lose", "times": null}"#)
            let failure = await failed(server, server.put("/b/k", BytesBody(pattern(1000))))
            #expect(failure?.sent == .perhapsAll)
            let objects = try await server.objects()
            #expect(objects["b/k"]?.size == 1000)
        }
    }

    @Test("A reset in mid-upload leaves nothing uncertain")
    func reset() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "reset", "after": 100000, "times": null}"#)
            let body = BytesBody([UInt8](repeating: 7, count: 32 << 20))
            let failure = await failed(server, server.put("/b/k", body))
            #expect(failure?.sent == .part)
            #expect([.curl(55), .curl(56)].contains(failure?.cause))
        }
    }

    @Test("A kept-alive connection that dies is replaced, and the body is sent again")
    func rewind() async throws {
        try await withScriptedS3 { server in
            let first = server.put("/b/first", BytesBody([1]))
            let status = try await server.status(first)
            #expect(status == 200)
            try await server.script(#"{"do": "lose", "key": "again"}"#)
            let body = TrickledBody(pattern(300_000), piece: 50_000)
            let second = try await server.status(server.put("/b/again", body))
            #expect(second == 200)
            let object = try #require(try await server.objects()["b/again"])
            #expect(object.puts == 2)
            #expect(object.bodies.count == 1)
        }
    }

    @Test("Nobody listens: not a byte was sent")
    func refused() async throws {
        try await withScriptedS3 { server in
            let failure = await failed(server, .init(.get, "http://127.0.0.1:1/"))
            #expect(failure?.cause == .curl(7))
            #expect(failure?.sent == .nothing)
        }
    }

    @Test(
        "An answer that does not come, or trickles, is given up",
        arguments: [#"{"do": "hang", "seconds": 600}"#, #"{"do": "drip", "seconds": 600}"#])
    func answerTimeout(_ rule: String) async throws {
        try await withScriptedS3 { server in
            try await server.script(rule)
            var options = TransferOptions()
            options.answerTimeout = .milliseconds(300)
            let failure = await failed(server, server.put("/b/k", BytesBody([1]), options))
            #expect(failure?.cause == .answerTimeout)
            #expect(failure?.sent == .perhapsAll)
        }
    }

    @Test("A connection over which nothing moves is given up")
    func idleTimeout() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "hang", "seconds": 600}"#)
            var options = TransferOptions()
            options.idleTimeout = .seconds(1)
            let failure = await failed(server, server.put("/b/k", BytesBody([1]), options))
            #expect(failure?.cause == .curl(28))
        }
    }

    @Test("The time to connect includes the TLS handshake")
    func connectTimeout() async throws {
        try await withScriptedS3 { server in
            // The kernel accepts for it, and nobody speaks.
            let (descriptor, port) = try silentListener()
            defer { close(descriptor) }
            var options = TransferOptions()
            options.connectTimeout = .milliseconds(200)
            let request = HTTPRequest(.get, "https://127.0.0.1:\(port)/", options: options)
            let failure = await failed(server, request)
            #expect(failure?.cause == .curl(28))
            #expect(failure?.sent == .nothing)
        }
    }

    @Test("A body whose bytes do not come is no fault of the network")
    func stalledBody() async throws {
        try await withScriptedS3 { server in
            let body = TrickledBody(pattern(5000), piece: 1000)
            body.stallsAt = 2000
            var options = TransferOptions()
            options.idleTimeout = .seconds(1)
            let failure = await failed(server, server.put("/b/k", body, options))
            #expect(failure?.cause == .body)
            #expect(failure?.sent == .part)
        }
    }

    @Test("Nothing wakes an idle transport, though its connections are kept")
    func idle() async throws {
        try await withScriptedS3 { server in
            let status = try await server.status(server.put("/b/k", BytesBody([1])))
            #expect(status == 200)
            #expect(server.transport.armed == nil)
            let log = try await server.log()
            #expect(log.connections == 1)
            #expect(server.transport.armed == nil)
        }
    }

    @Test("A body that cannot be read ends the upload, and says why")
    func unreadable() async throws {
        try await withScriptedS3 { server in
            let body = TrickledBody(pattern(500_000), piece: 50_000)
            body.breaksAt = 200_000
            let failure = await failed(server, server.put("/b/k", body))
            #expect(failure?.cause == .body)
            #expect(failure?.text == "orders.object: Input/output error")
            #expect(failure?.sent == .part)
            let objects = try await server.objects()
            #expect(objects.isEmpty)
        }
    }

    @Test("Cancelling ends transfers that run and transfers that wait, once each")
    func cancel() async throws {
        try await withScriptedS3(limits: .init(total: 2, perOrigin: 1)) { server in
            try await server.script(#"{"do": "hang", "seconds": 600}"#)
            var causes: [TransferFailure.Cause?] = []
            await withCheckedContinuation { continuation in
                var transfers: [Transfer] = []
                for _ in 0..<2 {
                    let body = BytesBody([1])
                    let transfer = server.transport.start(server.put("/b/k", body)) { outcome in
                        causes.append(cause(outcome))
                        if causes.count == 2 { continuation.resume() }
                    }
                    transfers.append(transfer)
                }
                DispatchQueue.main.async {
                    for transfer in transfers + transfers { transfer.cancel() }
                }
            }
            #expect(causes == [.cancelled, .cancelled])
            #expect(server.transport.load == (running: 0, waiting: 0))
        }
    }

    @Test("Shutting down ends what is left")
    func shutDown() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "hang", "seconds": 600}"#)
            var ended: TransferFailure.Cause?
            var waiting: TransferFailure.Cause?
            server.transport.start(server.put("/b/k", BytesBody([1]))) { ended = cause($0) }
            // Each look is a round trip to the server, which has the request soon.
            while try await server.log().requests.isEmpty {}
            server.transport.start(server.put("/b/k", BytesBody([1]))) { waiting = cause($0) }
            server.transport.shutDown()
            #expect(ended == .cancelled)
            #expect(waiting == .cancelled)
        }
    }

    @Test(
        "A header field that would break out of its line is not sent",
        arguments: [
            HeaderField("a", "b\r\nc: d"), HeaderField("a\n", "b"), HeaderField("", "b"),
            HeaderField("a", .secret(Secret("b\r\nc: d"))),
        ])
    func injection(_ field: HeaderField) async throws {
        try await withScriptedS3 { server in
            let failure = await failed(server, .init(.get, server.url, headers: [field]))
            #expect(failure?.cause == .request)
            let log = try await server.log()
            #expect(log.requests.isEmpty)
        }
    }

    @Test("A long answer is kept to its limit, and past the next limit not read")
    func longAnswer() async throws {
        try await withScriptedS3 { server in
            try await server.script(
                #"{"do": "huge", "bytes": 200000}, {"do": "huge", "bytes": 90000000}"#)
            for _ in 0..<2 {
                let response = try await server.send(.init(.get, "\(server.url)/b/k")).get()
                #expect(response.status == 503)
                #expect(response.body.count == HTTPResponse.keptBody)
                #expect(response.isTruncated)
            }
        }
    }

    @Test("Interim answers without end are no answer")
    func endlessContinue() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "continue"}"#)
            let failure = await failed(
                server, server.put("/b/k", BytesBody([UInt8](repeating: 7, count: 2 << 20))))
            #expect(failure?.cause == .curl(23))
        }
    }

    @Test("An answer whose head is cut off is no answer", arguments: [0, 5, 15, 17, 36])
    func cutHead(_ bytes: Int) async throws {
        try await withScriptedS3 { server in
            // Twice: where a connection was used before, libcurl sends the request once more by itself.
            try await server.script(#"{"do": "cut", "bytes": \#(bytes), "times": 2}"#)
            let failure = await failed(server, server.put("/b/k", BytesBody(pattern(100))))
            #expect(failure?.sent == .perhapsAll)
        }
    }

    @Test("A sink is given no more than it wants, and a little")
    func longSink() async throws {
        try await withScriptedS3 { server in
            try await server.script(#"{"do": "huge", "status": 200, "bytes": 90000000}"#)
            var count = 0
            var request = HTTPRequest(.get, "\(server.url)/b/k", sink: { count += $0.count })
            request.mostForSink = 50_000
            let response = try await server.send(request).get()
            #expect(response.status == 200)
            #expect((50_001..<1 << 20).contains(count))
        }
    }

    @Test("A redirect is an answer like any other")
    func redirect() async throws {
        try await withScriptedS3 { server in
            let elsewhere = #"{"Location": "http://127.0.0.1:1/"}"#
            try await server.script(#"{"do": "answer", "status": 302, "headers": \#(elsewhere)}"#)
            let status = try await server.status(.init(.get, "\(server.url)/b/k"))
            #expect(status == 302)
        }
    }

    @Test("An early refusal of a large body is read")
    func earlyRefusal() async throws {
        try await withScriptedS3 { server in
            try await server.script(
                #"{"do": "answer", "status": 403, "code": "AccessDenied", "early": true}"#)
            let request = server.put("/b/k", BytesBody([UInt8](repeating: 7, count: 16 << 20)))
            let response = try await server.send(request).get()
            #expect(response.status == 403)
            #expect(String(decoding: response.body, as: UTF8.self).contains("AccessDenied"))
        }
    }

    private func silentListener() throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, size) | listen(descriptor, 8)
                    | getsockname(descriptor, pointer, &size)
            }
        }
        try #require(code == 0)
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }
}

/// Sends a request that must fail.
func failed(_ server: ScriptedS3, _ request: HTTPRequest) async -> TransferFailure? {
    switch await server.send(request) {
    case .success(let response):
        Issue.record("an answer with status \(response.status) came")
        return nil
    case .failure(let failure):
        return failure
    }
}

func cause(_ outcome: TransferOutcome) -> TransferFailure.Cause? {
    if case .failure(let failure) = outcome { failure.cause } else { nil }
}
