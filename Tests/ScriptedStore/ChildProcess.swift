internal import Glibc

/// A program that a test runs, with pipes for its standard input and output.
public final class ChildProcess {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    public let output: Int32
    private let input: Int32
    private let pid: pid_t
    private var isReaped = false

    /// Starts a program that is found by PATH.
    public init(_ arguments: [String]) throws {
        var (toChild, fromChild): ([Int32], [Int32]) = ([0, 0], [0, 0])
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
            throw Failure(description: "pipe: errno \(errno)")
        }
        for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, arguments[0], &actions, nil, &words, environ)
        close(toChild[0])
        close(fromChild[1])
        (input, output, self.pid) = (toChild[1], fromChild[0], pid)
        guard code == 0 else { throw Failure(description: "\(arguments[0]): errno \(code)") }
    }

    /// The next line of the output, without its end; it is waited for.
    public func readLine() -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Waits for the end of the program: its exit status, or minus the number of the signal.
    @discardableResult
    public func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        isReaped = true
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }

    /// Ends the program, if it has not ended by itself.
    public func stop() {
        guard !isReaped else { return }
        kill(pid, SIGKILL)
        wait()
        close(input)
        close(output)
    }
}
