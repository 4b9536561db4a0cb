import ArgumentParser
import Curl
import Dispatch
import Files
import Glibc
import Model

/// Asks the daemon through its Unix socket, one question after another.
@MainActor
final class ControlSocket {
    struct Answer {
        var status: Int
        var body: [UInt8]

        /// What an answer other than 200 means for a command: 5xx may pass, the rest will not.
        var refusal: Refusal {
            Refusal("sluiced: \(sentence)", status >= 500 ? .tryAgainLater : .failed)
        }

        /// The sentence of an answer that is none of 2xx.
        var sentence: String {
            let text = String(decoding: body.prefix(4096), as: UTF8.self)
            return text.split(whereSeparator: \.isNewline).joined(separator: " ")
        }
    }

    /// What follows an answer.
    enum Step {
        case end(ExitCode)
        case ask(Question)
    }

    /// One request, and what becomes of its answer.
    struct Question {
        var method: HTTPRequest.Method
        var target: String
        var timeout = Duration.seconds(10)
        var conclude: @MainActor (Answer) -> Step
    }

    /// The status of ten thousand connectors has about 5 MiB.
    private static let longestBody = 16 << 20

    private let path: String
    private let transport: Transport
    private var body: [UInt8] = []
    private var isTooLong = false

    /// - Parameter listen: where the daemon listens, as its configuration says.
    init(_ listen: [ListenAddress]) throws(Refusal) {
        guard let path = listen.lazy.compactMap(\.socketPath).first else {
            throw Self.noSocket(listen)
        }
        self.path = path
        // Not before: it may not be let go by an initializer that throws.
        transport = Transport()
    }

    /// Sends a request and hands its answer to `conclude`, whose status the program ends with.
    ///
    /// Must be called on the main thread, as commands are. Never returns: the main queue has the
    /// thread from here on.
    ///
    /// - Parameter listen: where the daemon listens, as its configuration says.
    nonisolated static func ask(
        _ listen: [ListenAddress], _ method: HTTPRequest.Method, _ target: String,
        timeout: Duration,
        conclude: @escaping @MainActor (Answer) -> ExitCode
    ) -> Never {
        ask(
            listen,
            Question(method: method, target: target, timeout: timeout) { .end(conclude($0)) })
    }

    /// Asks a question, and those that follow from its answer. As the other `ask`, it never returns.
    nonisolated static func ask(_ listen: [ListenAddress], _ question: Question) -> Never {
        MainActor.assumeIsolated {
            do throws(Refusal) { try ControlSocket(listen).put(question) } catch {
                exit(error.show().rawValue)
            }
        }
        dispatchMain()
    }

    private nonisolated static func noSocket(_ listen: [ListenAddress]) -> Refusal {
        let ports = listen.map(\.description).joined(separator: ", ")
        return Refusal(
            "sluiced listens only at \(ports), which is read-only; sluicectl needs a Unix socket: "
                + "add its path to [http] listen, and restart sluiced", .badConfiguration)
    }

    private func put(_ question: Question) {
        send(question.method, question.target, timeout: question.timeout) { answer in
            switch answer {
            case .success(let answer):
                switch question.conclude(answer) {
                case .end(let status): exit(status.rawValue)
                case .ask(let next): self.put(next)
                }
            case .failure(let refusal):
                exit(refusal.show().rawValue)
            }
        }
    }

    /// Sends a request when the answer to the one before has come; `completion` gets whatever becomes of it.
    func send(
        _ method: HTTPRequest.Method, _ target: String, timeout: Duration,
        completion: @escaping (Result<Answer, Refusal>) -> Void
    ) {
        (body, isTooLong) = ([], false)
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
