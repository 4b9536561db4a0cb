internal import Glibc

/// A socket that listens, and the name it has to give back.
nonisolated struct ListeningSocket {
    let descriptor: Int32
    /// The name in the file system, and the inode behind it; nil where there is none of ours.
    private let name: (path: String, device: dev_t, inode: ino_t)?

    /// How many clients may wait to be accepted.
    private static let backlog: Int32 = 64

    static func open(_ endpoint: LocalEndpoint) throws(ListenError) -> ListeningSocket {
        switch endpoint {
        case .unix(let path): try unix(path)
        case .loopback(let address, let port): try loopback(address, port)
        case .passed(let descriptor): ListeningSocket(descriptor: descriptor, name: nil)
        }
    }

    /// Removes the name, unless something else has taken it meanwhile. The descriptor stays open.
    func unlinkName() {
        guard let name else { return }
        var status = stat()
        guard lstat(name.path, &status) == 0, status.st_dev == name.device,
            status.st_ino == name.inode
        else { return }
        unlink(name.path)
    }

    /// Binds under another name, sets the mode, and renames: so the socket appears with its mode, whatever
    /// the umask, and takes the place of one that a dead process left behind in one step.
    private static func unix(_ path: String) throws(ListenError) -> ListeningSocket {
        let temporary = path + ".new"
        guard var address = unixAddress(temporary), let final = unixAddress(path) else {
            throw .pathTooLong(path)
        }
        try refuseOccupied(path, final)
        let descriptor = try stream(AF_UNIX, path)
        do throws(ListenError) {
            unlink(temporary)
            try check("bind", path, withSocketAddress(&address) { bind(descriptor, $0, $1) })
            try check("chmod", path, chmod(temporary, 0o660))
            var status = stat()
            try check("lstat", path, lstat(temporary, &status))
            try check("listen", path, listen(descriptor, backlog))
            try check("rename", path, rename(temporary, path))
            return ListeningSocket(
                descriptor: descriptor, name: (path, status.st_dev, status.st_ino))
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
    }

    private static func refuseOccupied(_ path: String, _ address: sockaddr_un) throws(ListenError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        let probe = try stream(AF_UNIX, path)
        defer { close(probe) }
        var address = address
        // EAGAIN: its backlog is full, so somebody listens. ECONNREFUSED: nobody does.
        let result = withSocketAddress(&address) { connect(probe, $0, $1) }
        if result == 0 || errno == EAGAIN { throw .inUse(path: path) }
    }

    private static func loopback(
        _ text: String, _ port: UInt16
    ) throws(ListenError) -> ListeningSocket {
        let endpoint = text.contains(":") ? "[\(text)]:\(port)" : "\(text):\(port)"
        var four = sockaddr_in()
        var six = sockaddr_in6()
        let isFour = inet_pton(AF_INET, text, &four.sin_addr) == 1
        let isSix = !isFour && inet_pton(AF_INET6, text, &six.sin6_addr) == 1
        let isLoopback6 = withUnsafeBytes(of: six.sin6_addr) { bytes in
            isSix && bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
        }
        let isLoopback4 = isFour && UInt32(bigEndian: four.sin_addr.s_addr) >> 24 == 127
        guard isLoopback4 || isLoopback6 else { throw .notLoopback(address: text) }

        let descriptor = try stream(isFour ? AF_INET : AF_INET6, endpoint)
        do throws(ListenError) {
            var on: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            try check(
                "setsockopt", endpoint,
                setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size))
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            let bound =
                isFour
                ? withSocketAddress(&four) { bind(descriptor, $0, $1) }
                : withSocketAddress(&six) { bind(descriptor, $0, $1) }
            try check("bind", endpoint, bound)
            try check("listen", endpoint, listen(descriptor, backlog))
            return ListeningSocket(descriptor: descriptor, name: nil)
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func stream(_ family: Int32, _ endpoint: String) throws(ListenError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, kind, 0)
        try check("socket", endpoint, descriptor)
        return descriptor
    }

    private static func check(
        _ operation: String, _ endpoint: String, _ result: Int32
    ) throws(ListenError) {
        guard result < 0 else { return }
        throw .system(operation: operation, endpoint: endpoint, errno: errno)
    }
}

/// nil where `path` does not fit, with the NUL that ends it.
nonisolated private func unixAddress(_ path: String) -> sockaddr_un? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
        guard path.utf8.count < room.count, !path.utf8.contains(0) else { return false }
        room.copyBytes(from: path.utf8)
        return true
    }
    return fits ? address : nil
}

/// Lends an address as the general type that the socket calls take.
nonisolated private func withSocketAddress<Address>(
    _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    withUnsafePointer(to: &address) { pointer in
        // Every sockaddr_… starts as sockaddr does, and the calls read no more than the length given.
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
            body(general, socklen_t(MemoryLayout<Address>.size))
        }
    }
}

/// What the C library calls this `errno`.
nonisolated func systemMessage(_ errno: Int32) -> String {
    var text = [CChar](repeating: 0, count: 128)
    guard strerror_r(errno, &text, text.count) == 0 else { return "error \(errno)" }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
