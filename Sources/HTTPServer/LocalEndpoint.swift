/// Where a server listens; nothing beyond this machine can be named.
public enum LocalEndpoint: Sendable, Equatable {
    /// A Unix socket, for the owner and its group (mode 0660).
    case unix(path: String)
    /// A TCP port of a numeric loopback address: `127.0.0.1` (or any of 127/8) or `::1`.
    case loopback(address: String, port: UInt16)
    /// A socket that listens already, such as one passed by systemd; it becomes the server's.
    case passed(descriptor: Int32)
}

/// Why a server could not listen.
public enum ListenError: Error, Equatable, CustomStringConvertible {
    /// Longer than the 107 bytes that a socket's address holds, with the `.new` of its making.
    case pathTooLong(String)
    /// Another process answers there.
    case inUse(path: String)
    /// Something else than a socket has that name; it is left alone.
    case notASocket(path: String)
    /// No loopback address in numbers.
    case notLoopback(address: String)
    /// A call of the system failed with this `errno`.
    case system(operation: String, endpoint: String, errno: Int32)
    /// The HTTP library could not start; it does not say why.
    case library

    public var description: String {
        switch self {
        case .pathTooLong(let path):
            "\(path): longer than 103 bytes, which is all that a socket's name may be; choose another"
        case .inUse(let path):
            "\(path): another process listens there; stop it, or choose another name"
        case .notASocket(let path):
            "\(path): exists and is not a socket; remove it, or choose another name"
        case .notLoopback(let address):
            "\(address): not an address of this machine's loopback; use 127.0.0.1 or ::1"
        case .system(let operation, let endpoint, let errno):
            "\(endpoint): \(operation) failed: \(systemMessage(errno))"
        case .library:
            "the HTTP library could not start; perhaps descriptors or memory are used up"
        }
    }
}
