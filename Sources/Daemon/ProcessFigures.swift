import Glibc

/// What the process itself takes of the machine.
nonisolated struct ProcessFigures: Sendable, Equatable {
    var residentBytes: Int?
    var cpuSeconds: Double
    var openDescriptors: Int?
    var mostDescriptors: Int?

    /// Reads it from the kernel; /proc may be missing in a container.
    static func now() -> ProcessFigures {
        var usage = rusage()
        // It fails only for another `who` than there are.
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        var limit = rlimit()
        let hasLimit = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return ProcessFigures(
            residentBytes: residentBytes(),
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            openDescriptors: openDescriptors(),
            mostDescriptors: hasLimit ? Int(clamping: limit.rlim_cur) : nil)
    }

    /// The second number of statm, in pages: proc(5).
    private static func residentBytes() -> Int? {
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let length = read(descriptor, &buffer, buffer.count)
        guard length > 0 else { return nil }
        let words = String(decoding: buffer[..<length], as: UTF8.self).split(separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { return nil }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func openDescriptors() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Neither "." and ".." nor the descriptor of this look.
        return count - 3
    }
}
