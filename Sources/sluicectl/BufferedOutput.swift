import Files
import Glibc

/// Standard output for much data: written in large pieces, and told when it fails.
struct BufferedOutput: ~Copyable {
    private static let size = 256 << 10

    private let descriptor: CInt
    private var bytes: [UInt8] = []

    init(_ descriptor: CInt = STDOUT_FILENO) {
        self.descriptor = descriptor
        bytes.reserveCapacity(2 * Self.size)
    }

    /// Lets `body` append to what is to be written.
    mutating func append<Failure: Error, Result>(
        _ body: (inout [UInt8]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(&bytes)
    }

    /// Writes, if enough has come together.
    mutating func flushIfFull() throws(Refusal) {
        if bytes.count >= Self.size { try flush() }
    }

    mutating func flush() throws(Refusal) {
        var written = 0
        defer { bytes.removeAll(keepingCapacity: true) }
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                // Who reads no further is no fault. libcurl has SIGPIPE ignored, so it is raised as cat(1) has it.
                if errno == EPIPE {
                    signal(SIGPIPE, SIG_DFL)
                    raise(SIGPIPE)
                }
                throw Refusal("stdout: \(errorText(errno))")
            }
            written += count
        }
    }
}
