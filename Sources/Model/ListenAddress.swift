/// Where the daemon answers status and control requests; nothing beyond this machine can be named.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An absolute path of a Unix socket: all requests, for the owner and its group.
    case unix(path: String)
    /// A TCP port of a loopback address, in numbers and without brackets: read-only, for every user of the machine.
    case loopback(address: String, port: UInt16)

    /// Why a text names none, as the end of a sentence.
    public struct Fault: Error, Equatable {
        public let text: String
    }

    /// sun_path has 108 bytes with its NUL: unix(7).
    public static let longestSocketPath = 107

    /// Reads `/run/sluice/http.sock`, `127.0.0.1:9464` or `[::1]:9464`.
    public init(_ text: String) throws(Fault) {
        if text.hasPrefix("/") {
            let length = text.utf8.count
            guard length <= Self.longestSocketPath else {
                throw Fault(
                    text: "the path has \(length) bytes; a Unix socket's may have "
                        + "\(Self.longestSocketPath)")
            }
            self = .unix(path: text)
            return
        }
        let shown = JSONText.quoted(text)
        guard let colon = text.lastIndex(of: ":") else {
            throw Fault(
                text: "\(shown) must be the absolute path of a Unix socket, like "
                    + "\"/run/sluice/http.sock\", or a loopback port, like \"127.0.0.1:9464\"")
        }
        guard let port = Self.port(text[text.index(after: colon)...]) else {
            throw Fault(
                text: "\(shown) must end with a port from 1 to 65535, like \"127.0.0.1:9464\"")
        }
        guard let address = Self.loopback(text[..<colon]) else {
            throw Fault(
                text: "\(shown) is no loopback address; write \"127.0.0.1:\(port)\" or "
                    + "\"[::1]:\(port)\", for status must not leave this machine unprotected")
        }
        self = .loopback(address: address, port: port)
    }

    private static func port(_ text: Substring) -> UInt16? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(text),
            port > 0
        else { return nil }
        return port
    }

    /// One of 127.0.0.0/8 or `[::1]`, without its brackets.
    private static func loopback(_ text: Substring) -> String? {
        if text == "[::1]" { return "::1" }
        return isLoopback4(text) ? String(text) : nil
    }

    /// Whether a text is an IPv4 address of 127.0.0.0/8, in four decimal numbers.
    public static func isLoopback4(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && UInt8(part) != nil
                    && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    && (part.count == 1 || !part.hasPrefix("0"))
            }
    }

    public var description: String {
        switch self {
        case .unix(let path): path
        case .loopback(let address, let port):
            address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        }
    }

    /// The path of a Unix socket; nil for a port.
    public var socketPath: String? {
        if case .unix(let path) = self { path } else { nil }
    }
}
