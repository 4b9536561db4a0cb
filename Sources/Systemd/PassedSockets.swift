internal import CSystemd
internal import Glibc

/// A descriptor that the service manager passed: systemd.socket(5).
public struct PassedSocket: Sendable, Equatable {
    /// Where it listens.
    public enum Place: Sendable, Equatable {
        /// A Unix stream socket with a name in the file system.
        case unix(path: String)
        /// A TCP socket; the address in numbers, that of IPv6 in brackets, with its port.
        case tcp(String)
        /// Anything else: no socket, no stream, nobody listens on it, or its name is an abstract one.
        case other
    }

    public let descriptor: Int32
    public let place: Place
}

/// The sockets that the service manager listens on for this process: sd_listen_fds(3).
public enum PassedSockets {
    /// Answers them, in the order of the unit's lines; none where there is no manager, or they are for another process.
    ///
    /// To be called before the process has a second thread: it takes `$LISTEN_FDS` out of the environment, so that programs
    /// which are started later do not take them for their own. They do not get the descriptors either.
    public static func take() -> [PassedSocket] {
        let count = sd_listen_fds(1)
        guard count > 0 else { return [] }
        let first: Int32 = 3  // SD_LISTEN_FDS_START
        return (first..<first + count).map { descriptor in
            // Or a client that has gone before it is accepted would make the loop wait for the next.
            let flags = fcntl(descriptor, F_GETFL)
            if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) }
            return PassedSocket(descriptor: descriptor, place: place(of: descriptor))
        }
    }

    static func place(of descriptor: Int32) -> PassedSocket.Place {
        let stream = Int32(SOCK_STREAM.rawValue)
        guard sd_is_socket(descriptor, AF_UNSPEC, stream, 1) > 0 else { return .other }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let family = withUnsafeMutablePointer(to: &storage) { pointer in
            // Every sockaddr_… starts as sockaddr does, and sockaddr_storage has room for each.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                getsockname(descriptor, general, &length) == 0 ? general.pointee.sa_family : 0
            }
        }
        return withUnsafeBytes(of: &storage) { bytes in
            switch Int32(family) {
            case AF_UNIX: unixPlace(bytes, Int(length))
            case AF_INET: tcpPlace(bytes.loadUnaligned(as: sockaddr_in.self))
            case AF_INET6: tcpPlace(bytes.loadUnaligned(as: sockaddr_in6.self))
            default: .other
            }
        }
    }

    private static func unixPlace(
        _ bytes: UnsafeRawBufferPointer, _ length: Int
    ) -> PassedSocket.Place {
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        guard length > start else { return .other }
        let name = bytes[start..<min(length, bytes.count)].prefix { $0 != 0 }
        guard !name.isEmpty else { return .other }
        return .unix(path: String(decoding: name, as: UTF8.self))
    }

    private static func tcpPlace(_ address: sockaddr_in) -> PassedSocket.Place {
        var address = address
        return text(AF_INET, &address.sin_addr)
            .map { .tcp("\($0):\(UInt16(bigEndian: address.sin_port))") } ?? .other
    }

    private static func tcpPlace(_ address: sockaddr_in6) -> PassedSocket.Place {
        var address = address
        return text(AF_INET6, &address.sin6_addr)
            .map { .tcp("[\($0)]:\(UInt16(bigEndian: address.sin6_port))") } ?? .other
    }

    private static func text(_ family: Int32, _ address: UnsafeRawPointer) -> String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family, address, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
