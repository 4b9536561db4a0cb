internal import CSystemd
internal import Glibc

/// A listening socket that the manager opened for us: systemd.socket(5).
public struct PassedSocket: Sendable, Equatable {
    /// A refusal by `sd_listen_fds_with_names`: an `errno` value.
    public struct TakeError: Error, Equatable {
        public let errno: Int32
    }

    /// Open, marked close-on-exec, and the taker's to close.
    public let descriptor: Int32
    /// `FileDescriptorName=` of the socket unit.
    public let name: String

    /// All sockets passed to this process; the next call, and any child, finds none.
    ///
    /// The C function is `sd_listen_fds_with_names`.
    public static func take() throws(TakeError) -> [PassedSocket] {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        if count < 0 { throw TakeError(errno: -count) }
        guard let names else { return [] }
        // Both the array and its strings are malloc'ed for the caller, as the manual page says.
        defer { free(names) }
        return (0..<Int(count)).map { index in
            defer { free(names[index]) }
            return PassedSocket(
                descriptor: SD_LISTEN_FDS_START + Int32(index),
                name: names[index].map { String(cString: $0) } ?? "")
        }
    }
}
