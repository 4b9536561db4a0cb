import Glibc

/// Runs a program to its end, and gives out what it writes to its standard output.
///
/// Without a shell. It gets our environment, an empty standard input, no standard error, the default signals and
/// a process group of its own, which is killed when the time or the limit of the output is used up.
public enum BoundedProcess {
    public enum Ending: Sendable, Equatable {
        case exited(Int32)
        case killed(signal: Int32)
        case tooSlow
        case tooMuch
        /// `errno` of starting it, or of reading its output.
        case failed(Int32)
    }

    /// Waits for the program; to be called where waiting does no harm.
    ///
    /// - Parameters:
    ///   - words: the program, found by PATH, and its arguments.
    ///   - limit: of the output, in bytes.
    ///   - time: for all of it.
    ///   - take: gets the output in pieces, which are wiped behind it.
    public static func run(
        _ words: [String], limit: Int, within time: Duration,
        _ take: (UnsafeRawBufferPointer) -> Void
    ) -> Ending {
        var ends: [Int32] = [0, 0]
        guard let program = words.first, pipe(&ends) == 0 else { return .failed(EINVAL) }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var child: pid_t = 0
        let code = spawn(program, words, output: ends[1], &child)
        close(ends[1])
        guard code == 0 else { return .failed(code) }

        let deadline = BootClock.now() + time
        if let ending = read(ends[0], limit: limit, until: deadline, take) {
            return end(child, as: ending)
        }
        return wait(for: child, until: deadline) ?? end(child, as: .tooSlow)
    }

    private static func spawn(
        _ program: String, _ words: [String], output: Int32, _ child: inout pid_t
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        // A signal that this process ignores would be ignored in the program, too.
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))

        let arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        return posix_spawnp(&child, program, &actions, &attributes, arguments, environ)
    }

    /// Reads to the end of the output; nil: it came.
    private static func read(
        _ descriptor: Int32, limit: Int, until deadline: Duration,
        _ take: (UnsafeRawBufferPointer) -> Void
    ) -> Ending? {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            guard let base = buffer.baseAddress else { return .failed(ENOMEM) }
            defer { explicit_bzero(base, buffer.count) }
            var total = 0
            while true {
                let left = deadline - BootClock.now()
                guard left > .zero else { return .tooSlow }
                var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let answer = poll(&ready, 1, milliseconds(left))
                if answer == 0 || (answer < 0 && errno == EINTR) { continue }
                guard answer > 0 else { return .failed(errno) }
                let count = Glibc.read(descriptor, base, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { return .failed(errno) }
                if count == 0 { return nil }
                total += count
                guard total <= limit else { return .tooMuch }
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    /// Rounded up.
    private static func milliseconds(_ duration: Duration) -> Int32 {
        let (seconds, attoseconds) = duration.components
        return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }

    /// A program ends soon after its output has; nil: it did not in time.
    private static func wait(for child: pid_t, until deadline: Duration) -> Ending? {
        var status: Int32 = 0
        while true {
            let ended = waitpid(child, &status, WNOHANG)
            if ended == child { break }
            if ended < 0, errno != EINTR { return .failed(errno) }
            guard BootClock.now() < deadline else { return nil }
            usleep(2000)
        }
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    }

    private static func end(_ child: pid_t, as ending: Ending) -> Ending {
        kill(-child, SIGKILL)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return ending
    }
}
