import Glibc

/// A program run to its end, with what it wrote to its standard output.
public struct ProcessRun: Sendable {
    /// As wait(2) gives it; 0 where the program is content.
    public let status: Int32
    public let output: [UInt8]

    /// The interpreter of the oracles: `SLUICE_PYTHON`, or `python3` on PATH.
    public static let python = getenv("SLUICE_PYTHON").map { String(cString: $0) } ?? "python3"

    /// Runs a program found on PATH; nil where it cannot be started.
    public init?(_ arguments: [String], quietly: Bool = false) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        if quietly { posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) }

        let words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let failed = posix_spawnp(&child, arguments[0], &actions, nil, words, environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard failed == 0 else { return nil }

        output = Self.everything(from: ends[0])
        var ended: Int32 = 0
        while waitpid(child, &ended, 0) < 0, errno == EINTR {}
        status = ended
    }

    private static func everything(from descriptor: Int32) -> [UInt8] {
        var output: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &block, block.count)
            if count > 0 {
                output += block[..<count]
            } else if count == 0 || errno != EINTR {
                return output
            }
        }
    }
}
