import ArgumentParser
import Curl
import Dispatch
import Files
import Glibc
import Model

/// Asks the daemon one thing through its Unix socket, and ends the program with what comes of it.
@MainActor
final class ControlSocket {
    struct Answer {
        var status: Int
        var body: [UInt8]

        /// The sentence of an answer that is none of 2xx.
        var sentence: String {
            let text = String(decoding: body.prefix(4096), as: UTF8.self)
            return text.split(whereSeparator: \.isNewline).joined(separator: " ")
        }
    }

    /// The status of ten thousand connectors has about 5 MiB.
    private static let longestBody = 16 << 20

    private let path: String
    private let transport = Transport()
    private var body: [UInt8] = []
    private var isTooLong = false

    private init(path: String) {
        self.path = path
    }

    /// Sends a request and hands its answer to `conclude`, whose status the program ends with.
    ///
    /// Must be called on the main thread, as commands are. Never returns: the main queue has the
    /// thread from here on.
    nonisolated static func ask(
        _ path: String, _ method: HTTPRequest.Method, _ target: String, timeout: Duration,
        conclude: @escaping @MainActor (Answer) -> ExitCode
    ) -> Never {
        MainActor.assumeIsolated {
            let socket = ControlSocket(path: path)
            socket.send(method, target, timeout: timeout) { answer in
                let status: ExitCode
                switch answer {
                case .success(let answer): status = conclude(answer)
                case .failure(let refusal): status = refusal.show()
                }
                exit(status.rawValue)
            }
        }
        dispatchMain()
    }

    private func send(
        _ method: HTTPRequest.Method, _ target: String, timeout: Duration,
        completion: @escaping (Result<Answer, Refusal>) -> Void
    ) {
        var options = TransferOptions()
        options.unixSocket = path
        options.userAgent = "sluicectl/\(sluiceVersion)"
        options.connectTimeout = .seconds(5)
        options.idleTimeout = timeout
        options.answerTimeout = timeout
        let request = HTTPRequest(
            method, "http://localhost\(target)", options: options, sink: { self.take($0) })
        transport.start(request) { outcome in
            switch outcome {
            case .failure(let failure):
                completion(.failure(self.refusal(failure)))
            case .success where self.isTooLong:
                let text = "the answer of sluiced at \(self.path) is longer than 16 MiB"
                completion(.failure(Refusal(text)))
            case .success(let response):
                let body = (200..<300).contains(response.status) ? self.body : response.body
                completion(.success(Answer(status: response.status, body: body)))
            }
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        isTooLong = isTooLong || body.count + bytes.count > Self.longestBody
        if !isTooLong { body += bytes }
    }

    private func refusal(_ failure: TransferFailure) -> Refusal {
        if access(path, W_OK) != 0, errno == EACCES {
            return Refusal(
                "you may not ask sluiced: \(path): permission denied; "
                    + "join group sluice, or use sudo", .noPermission)
        }
        let what = failure.sent == .nothing ? "cannot be reached" : "does not answer"
        return Refusal(
            "sluiced \(what) at \(path): \(reason(failure)); is it running? "
                + "see \"systemctl status sluiced\"", .tryAgainLater)
    }

    /// libcurl speaks of the host and port of the URL, which mean nothing here.
    private func reason(_ failure: TransferFailure) -> String {
        guard failure.sent == .nothing else { return failure.text }
        var status = stat()
        if stat(path, &status) == 0 { return "nobody listens there" }
        return errno == ENOENT ? "there is no such socket" : errorText(errno)
    }
}
