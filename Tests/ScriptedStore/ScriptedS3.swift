public import Curl
import Foundation
import Glibc

/// A running `scripted_s3.py`, and the transport that talks to it.
public final class ScriptedS3 {
    /// One request as the server saw it.
    public struct Request: Decodable {
        public var connection: Int
        public var method: String
        public var bucket: String
        public var key: String
        public var target: String
        public var headers: [[String]]
        public var length: Int
        public var sha256: String?
        /// What the rule did that applied to it; nil: it was answered as usual.
        public var rule: String?

        public func header(_ name: String) -> String? {
            headers.first { $0[0].lowercased() == name }?[1]
        }
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    public struct Log: Decodable {
        public var connections: Int
        /// The most connections that were open at one time.
        public var peak: Int
        public var requests: [Request]
    }

    public struct Object: Decodable {
        public var size: Int
        public var sha256: String
        public var headers: [String: String]
        public var bodies: [String]
        public var puts: Int
    }

    public let transport: Transport
    public let port: Int
    /// What reaches the server for control; tests that use TLS set who is trusted.
    public var options = TransferOptions()
    private let scheme: String
    private let process: ChildProcess

    public init(_ arguments: [String] = [], limits: Transport.Limits = .init()) throws {
        let script = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let python = getenv("SLUICE_PYTHON").map { String(cString: $0) } ?? "python3"
        process = try ChildProcess(
            [python, "/\(script)/EndToEnd/scripted_s3.py", "--until-eof"] + arguments)
        let line = process.readLine()
        guard let port = Int(line.dropFirst("port ".count)) else {
            throw Failure(description: "the server said \"\(line)\"")
        }
        self.port = port
        scheme = arguments.contains("--cert") ? "https" : "http"
        transport = Transport(limits: limits)
    }

    public var url: String { "\(scheme)://127.0.0.1:\(port)" }

    public func stop() {
        transport.shutDown()
        process.stop()
    }

    /// Adds rules, in JSON.
    public func script(_ rules: String) async throws {
        let body = BytesBody(Array("[\(rules)]".utf8))
        try await control(.init(.post, "\(url)/__script", body: body, options: options))
    }

    /// Forgets all rules, and takes others in their place.
    public func replaceScript(_ rules: String) async throws {
        try await control(.init(.delete, "\(url)/__script", options: options))
        try await script(rules)
    }

    private func control(_ request: HTTPRequest) async throws {
        let status = try await send(request).get().status
        guard status == 200 else { throw Failure(description: "the server answers \(status)") }
    }

    public func log() async throws -> Log {
        try await read("/__requests")
    }

    public func objects() async throws -> [String: Object] {
        try await read("/__objects")
    }

    private func read<Value: Decodable>(_ path: String) async throws -> Value {
        var text = Data()
        let request = HTTPRequest(
            .get, url + path, options: options, sink: { text.append(contentsOf: $0) })
        try await control(request)
        return try JSONDecoder().decode(Value.self, from: text)
    }

    /// Sends a request and waits for its outcome.
    public func send(_ request: HTTPRequest) async -> TransferOutcome {
        await withCheckedContinuation { continuation in
            transport.start(request) { continuation.resume(returning: $0) }
        }
    }

    /// The status of the answer to a request.
    public func status(_ request: HTTPRequest) async throws -> Int {
        try await send(request).get().status
    }

    /// A PUT that the server takes for signed.
    public func put(
        _ path: String, _ body: any UploadBody, _ options: TransferOptions = .init()
    ) -> HTTPRequest {
        HTTPRequest(
            .put, url + path, headers: [HeaderField("authorization", "AWS4-HMAC-SHA256 x")],
            body: body, options: options)
    }
}

/// Runs a test with a server of its own, and stops it whatever happens.
public func withScriptedS3(
    _ arguments: [String] = [], limits: Transport.Limits = .init(),
    _ body: @MainActor (ScriptedS3) async throws -> Void
) async throws {
    let server = try ScriptedS3(arguments, limits: limits)
    defer { server.stop() }
    try await body(server)
}
