import Glibc
import Model

@testable import Daemon
@testable import HTTPServer

/// Arbitrary bytes as what a client sends to the control socket; the first byte says in which pieces.
///
/// Requests are the same however the bytes are cut, each is answered, and the connection ends. The protocol is the
/// library's; ours is what it calls, and what becomes of the path, the query and the body.
///
/// On the main thread: the server belongs to the loop, which here is the target's.
@MainActor
enum ControlTarget {
    static func fault(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        let text = Array(bytes.dropFirst())
        let house = Self.house
        let whole = house.ask(text, pieces: max(1, text.count))
        if let fault = whole.fault { return fault }
        // Eight pieces show what a hundred do, and cost a tenth.
        let cut = house.ask(text, pieces: max(1 + Int(first), (text.count + 7) / 8))
        if let fault = cut.fault { return "in pieces, \(fault)" }
        // Where the library hangs up on a mistake, it depends on what has come by then whether it has read what is before.
        let common = min(whole.requests.count, cut.requests.count)
        guard whole.requests.prefix(common) == cut.requests.prefix(common) else {
            return "in pieces, it is asked \(cut.requests), not \(whole.requests)"
        }
        return nil
    }

    /// What is asked of the daemon, or a refusal that a terminal may be shown.
    private static func fault(_ request: HTTPRequest) -> String? {
        do throws(ControlRequest.Fault) {
            switch try ControlRequest(request) {
            case .page, .status, .history, .metrics, .health, .archive, .quarantine(.list),
                .quarantine(.lines), .quarantine(.bytes), .object:
                return request.method == .get ? nil : "it reads by POST"
            case .flush, .drain, .change, .quarantine(.decide):
                return request.method == .post ? nil : "it changes by GET"
            }
        } catch {
            let text = String(decoding: error.response.body.dropLast(), as: UTF8.self)
            let isPlain = text.unicodeScalars.allSatisfy {
                $0.properties.generalCategory != .control
            }
            return (400..<500).contains(error.response.status) && isPlain && !text.isEmpty
                ? nil : "refused as \(text)"
        }
    }

    /// One server for all inputs, as in the daemon.
    private static let house = House()

    @MainActor
    private struct Course {
        var requests: [HTTPRequest] = []
        var answer: [UInt8] = []
        var isOver = false

        var fault: String? {
            guard isOver else { return "the connection does not end" }
            for request in requests {
                guard request.body.count <= LocalServer.bodyLimit else {
                    return "a body of \(request.body.count) bytes"
                }
                if let fault = ControlTarget.fault(request) { return fault }
            }
            guard answer.isEmpty || answer.starts(with: "HTTP/1.".utf8) else {
                return "answered \(String(decoding: answer, as: UTF8.self))"
            }
            // One for each request, and perhaps one that refuses what came last.
            let lines = answer.split(separator: UInt8(ascii: "\n"))
            let answered = lines.count { $0.starts(with: "X-Content-Type-Options: nosniff".utf8) }
            let isTold = lines.contains { $0.starts(with: "HTTP/1.1 100 ".utf8) }
            // The library hangs up on who was told to continue, and goes on with what is no body.
            return answered >= requests.count || isTold
                ? nil
                : "\(answered) of \(requests) are answered: "
                    + String(decoding: answer, as: UTF8.self)
        }
    }

    @MainActor
    private final class House {
        private var server: LocalServer?
        private var requests: [HTTPRequest] = []
        private var part = [UInt8](repeating: 0, count: 4096)
        private var address = sockaddr_un()
        private var addressLength = socklen_t(0)

        init() {
            // A name that the kernel chooses, in no directory: unix(7), "autobind".
            address.sun_family = sa_family_t(AF_UNIX)
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            let bound = withAddress(length: socklen_t(MemoryLayout<sa_family_t>.size)) {
                bind(descriptor, $0, $1)
            }
            addressLength = socklen_t(MemoryLayout<sockaddr_un>.size)
            var length = addressLength
            let named = withUnsafeMutablePointer(to: &address) { pointer in
                // A sockaddr_un is a sockaddr with room for its name.
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(descriptor, $0, &length)
                }
            }
            addressLength = length
            precondition(bound == 0 && named == 0 && listen(descriptor, 8) == 0)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            server = try? LocalServer(on: .passed(descriptor: descriptor)) { [weak self] exchange in
                self?.take(exchange)
            }
            precondition(server != nil)
        }

        private func withAddress(
            length: socklen_t, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
        ) -> Int32 {
            withUnsafePointer(to: &address) { pointer in
                // A sockaddr_un starts as a sockaddr, and no more is read than the length given.
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
            }
        }

        private func take(_ exchange: HTTPExchange) {
            requests.append(exchange.request)
            // What nobody answers is answered with 500.
            if exchange.request.path == "/dropped" { return }
            exchange.answer(.text(exchange.request.path))
        }

        func ask(_ text: [UInt8], pieces: Int) -> Course {
            requests = []
            var course = Course()
            let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(client) }
            let connected = withAddress(length: addressLength) { connect(client, $0, $1) }
            precondition(connected == 0, "connect: \(errno)")
            var at = 0
            while at < text.count, !course.isOver {
                let piece = text[at..<min(at + pieces, text.count)]
                at += piece.count
                _ = piece.withUnsafeBytes {
                    send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                turn(client, &course)
            }
            turn(client, &course)
            shutdown(client, Int32(SHUT_WR))
            for _ in 0..<16 where !course.isOver { turn(client, &course) }
            course.requests = requests
            return course
        }

        private func turn(_ client: Int32, _ course: inout Course) {
            // Each goes on from one state of a request to the next.
            for _ in 0..<8 { server?.run() }
            while true {
                let count = recv(client, &part, part.count, Int32(MSG_DONTWAIT))
                if count > 0 {
                    course.answer += part[..<count]
                } else {
                    if count == 0 || errno == ECONNRESET { course.isOver = true }
                    return
                }
            }
        }
    }
}
