import Dispatch
import Glibc

/// A small HTTP server on this machine that answers as a test says: STS, IMDS, a container's endpoint.
///
/// On the main queue, one request a connection.
final class LocalIssuer {
    struct Request {
        var method: String
        var target: String
        /// Names in lower case.
        var headers: [String: String]
        var body: String

        /// A parameter of a form; what is encoded stays so.
        func parameter(_ name: String) -> String? {
            body.split(separator: "&").first { $0.hasPrefix(name + "=") }
                .map { String($0.dropFirst(name.utf8.count + 1)) }
        }
    }

    nonisolated struct Answer: Sendable {
        var status = 200
        var headers: [String: String] = [:]
        var body = ""
        /// No answer ever comes.
        var isSilent = false
    }

    let port: UInt16
    var answer: (Request) -> Answer
    private(set) var requests: [Request] = []
    private let listener: any DispatchSourceRead
    private var connections: [Int32: (source: any DispatchSourceRead, bytes: [UInt8])] = [:]

    init(_ answer: @escaping (Request) -> Answer) {
        self.answer = answer
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // An address of one family is passed as the general one, as bind(2) wants it.
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                bind(socket, general, length) == 0 && getsockname(socket, general, &length) == 0
            }
        }
        precondition(bound && listen(socket, 16) == 0, "no socket: errno \(errno)")
        port = UInt16(bigEndian: address.sin_port)
        listener = DispatchSource.makeReadSource(fileDescriptor: socket, queue: .main)
        listener.setEventHandler { [weak self] in self?.accept(from: socket) }
        listener.setCancelHandler { close(socket) }
        listener.activate()
    }

    isolated deinit {
        listener.cancel()
        for connection in connections.values { connection.source.cancel() }
    }

    var url: String { "http://127.0.0.1:\(port)" }

    private func accept(from socket: Int32) {
        let descriptor = Glibc.accept(socket, nil, nil)
        guard descriptor >= 0 else { return }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .main)
        source.setEventHandler { [weak self] in self?.read(descriptor) }
        source.setCancelHandler { close(descriptor) }
        connections[descriptor] = (source, [])
        source.activate()
    }

    private func read(_ descriptor: Int32) {
        var block = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(descriptor, &block, block.count, 0)
        guard count > 0 else { return end(descriptor) }
        connections[descriptor]?.bytes += block[..<count]
        guard let request = connections[descriptor].flatMap({ Self.request($0.bytes) }) else {
            return
        }
        requests.append(request)
        let answer = answer(request)
        if answer.isSilent { return }
        let headers = answer.headers.map { "\($0): \($1)\r\n" }.joined()
        let text =
            "HTTP/1.1 \(answer.status) X\r\n\(headers)Content-Length: \(answer.body.utf8.count)\r\n"
            + "Connection: close\r\n\r\n\(answer.body)"
        let bytes = Array(text.utf8)
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        end(descriptor)
    }

    private func end(_ descriptor: Int32) {
        connections[descriptor]?.source.cancel()
        connections[descriptor] = nil
    }

    /// nil: it is not complete yet.
    private static func request(_ bytes: [UInt8]) -> Request? {
        guard let end = bytes.firstRange(of: "\r\n\r\n".utf8) else { return nil }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        let lines = head.split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let value = line[colon...].dropFirst()
            headers[line[..<colon].lowercased()] = String(value.drop { $0 == " " })
        }
        let body = bytes[end.upperBound...]
        guard body.count >= headers["content-length"].flatMap({ Int($0) }) ?? 0 else { return nil }
        return Request(
            method: String(words[0]), target: String(words[1]), headers: headers,
            body: String(decoding: body, as: UTF8.self))
    }
}

/// What STS answers.
nonisolated enum STSText {
    /// Times in the texts are those of the bench's wall clock, 2027-01-15T08:00:00Z.
    static func session(
        _ key: String = "ASIAROLE", token: String = "tok", until: String = "2027-01-15T09:00:00Z",
        action: String = "AssumeRole"
    ) -> LocalIssuer.Answer {
        .init(
            headers: ["Date": "Fri, 15 Jan 2027 08:00:00 GMT"],
            body: """
                <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><\(action)Result>
                  <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/sluice/s</Arn>
                  </AssumedRoleUser>
                  <Credentials><AccessKeyId>\(key)</AccessKeyId>
                    <SecretAccessKey>secret+/\(key)</SecretAccessKey>
                    <SessionToken>\(token)</SessionToken><Expiration>\(until)</Expiration>
                  </Credentials></\(action)Result>
                <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></\(action)Response>
                """)
    }

    static func refusal(
        _ code: String, _ message: String = "no", status: Int = 403, requestID: String? = "42",
        date: String = "Fri, 15 Jan 2027 08:00:00 GMT"
    ) -> LocalIssuer.Answer {
        .init(
            status: status, headers: ["Date": date],
            body: "<ErrorResponse><Error><Type>Sender</Type><Code>\(code)</Code>"
                + "<Message>\(message)</Message></Error>"
                + (requestID.map { "<RequestId>\($0)</RequestId>" } ?? "") + "</ErrorResponse>")
    }
}
