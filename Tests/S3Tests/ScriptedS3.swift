import Curl
import Foundation
import Glibc
import Testing

/// A running `scripted_s3.py`, and the transport that talks to it.
final class ScriptedS3 {
    /// One request as the server saw it.
    struct Request: Decodable {
        var connection: Int
        var method: String
        var bucket: String
        var key: String
        var target: String
        var headers: [[String]]
        var length: Int
        var sha256: String?

        func header(_ name: String) -> String? {
            headers.first { $0[0].lowercased() == name }?[1]
        }
    }

    struct Log: Decodable {
        var connections: Int
        /// The most connections that were open at one time.
        var peak: Int
        var requests: [Request]
    }

    struct Object: Decodable {
        var size: Int
        var sha256: String
        var headers: [String: String]
        var bodies: [String]
        var puts: Int
    }

    let transport: Transport
    let port: Int
    /// What reaches the server for control; tests that use TLS set who is trusted.
    var options = TransferOptions()
    private let scheme: String
    private let process: ChildProcess

    init(_ arguments: [String] = [], limits: Transport.Limits = .init()) throws {
        let script = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let python = getenv("SLUICE_PYTHON").map { String(cString: $0) } ?? "python3"
        process = try ChildProcess(
            [python, "/\(script)/EndToEnd/scripted_s3.py", "--until-eof"] + arguments)
        let line = process.readLine()
        port = try #require(Int(line.dropFirst("port ".count)), "the server said \"\(line)\"")
        scheme = arguments.contains("--cert") ? "https" : "http"
        transport = Transport(limits: limits)
    }

    var url: String { "\(scheme)://127.0.0.1:\(port)" }

    func stop() {
        transport.shutDown()
        process.stop()
    }

    /// Adds rules, in JSON.
    func script(_ rules: String) async throws {
        let body = BytesBody(Array("[\(rules)]".utf8))
        let answer = await send(.init(.post, "\(url)/__script", body: body, options: options))
        #expect(try answer.get().status == 200)
    }

    func log() async throws -> Log {
        try await read("/__requests")
    }

    func objects() async throws -> [String: Object] {
        try await read("/__objects")
    }

    private func read<Value: Decodable>(_ path: String) async throws -> Value {
        var text = Data()
        let request = HTTPRequest(
            .get, url + path, options: options, sink: { text.append(contentsOf: $0) })
        #expect(try await send(request).get().status == 200)
        return try JSONDecoder().decode(Value.self, from: text)
    }

    /// Sends a request and waits for its outcome.
    func send(_ request: HTTPRequest) async -> TransferOutcome {
        await withCheckedContinuation { continuation in
            transport.start(request) { continuation.resume(returning: $0) }
        }
    }

    /// The status of the answer to a request.
    func status(_ request: HTTPRequest) async throws -> Int {
        try await send(request).get().status
    }

    /// A PUT that the server takes for signed.
    func put(
        _ path: String, _ body: any UploadBody, _ options: TransferOptions = .init()
    ) -> HTTPRequest {
        HTTPRequest(
            .put, url + path, headers: [HeaderField("authorization", "AWS4-HMAC-SHA256 x")],
            body: body, options: options)
    }
}

/// Runs a test with a server of its own, and stops it whatever happens.
func withScriptedS3(
    _ arguments: [String] = [], limits: Transport.Limits = .init(),
    _ body: (ScriptedS3) async throws -> Void
) async throws {
    let server = try ScriptedS3(arguments, limits: limits)
    defer { server.stop() }
    try await body(server)
}

/// A body that comes in small pieces, each of them later.
final class TrickledBody: UploadBody {
    let bytes: [UInt8]
    let piece: Int
    /// Reading fails from here on.
    var breaksAt: Int?
    /// Reading never ends from here on.
    var stallsAt: Int?

    init(_ bytes: [UInt8], piece: Int) {
        self.bytes = bytes
        self.piece = piece
    }

    var length: Int64 { Int64(bytes.count) }

    func read(
        from offset: Int64, count: Int,
        completion: @escaping (Result<[UInt8], BodyUnreadable>) -> Void
    ) {
        let start = Int(offset)
        if let stallsAt, start >= stallsAt { return }
        DispatchQueue.main.async { [self] in
            if let breaksAt, start >= breaksAt {
                completion(.failure(BodyUnreadable("orders.object: Input/output error")))
            } else {
                completion(.success(Array(bytes[start...].prefix(min(piece, count)))))
            }
        }
    }
}

/// Bytes that tell where they come from.
func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
}
