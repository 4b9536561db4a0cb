import Dispatch
import Glibc

/// A client that sends just the bytes it is told to, on a thread of its own, since the server has the main one.
nonisolated final class RawClient: Sendable {
    private let descriptor: Int32

    /// nil where nobody listens.
    init?(_ path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        // It only ends what hangs: tests that run beside this one can keep the loop busy for minutes.
        var limit = timeval(tv_sec: 300, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        let connected = withUnsafePointer(to: &address) { pointer in
            // A sockaddr_un starts as a sockaddr, and connect reads no more than the length given.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }

    /// Sends what the socket takes; a server that has hung up already is no error here.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor, buffer.baseAddress.map { $0 + sent }, bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Everything up to the end of the connection; nil if that does not come.
    func readToEnd() async -> String? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var received: [UInt8] = []
                var part = [UInt8](repeating: 0, count: 65_536)
                while true {
                    let count = recv(self.descriptor, &part, part.count, 0)
                    guard count > 0 else {
                        let ended = count == 0 || errno == ECONNRESET
                        return continuation.resume(
                            returning: ended ? String(decoding: received, as: UTF8.self) : nil)
                    }
                    received += part[..<count]
                }
            }
        }
    }

    /// Sends a whole request and reads the whole answer.
    static func ask(_ path: String, _ request: String) async -> String? {
        guard let client = RawClient(path) else { return nil }
        client.send(request)
        return await client.readToEnd()
    }
}
