internal import CLinux
import Glibc

/// The memory of this process, as far as it can be given back.
public enum ProcessMemory {
    /// Keeps the allocator from setting apart memory for each thread: what one frees, another can use.
    public static func shareAmongThreads() {
        mallopt(M_ARENA_MAX, 2)
    }

    /// Keeps what is in memory, which may be secret, from every file and every other process but the superuser's: no core
    /// is written, and none but the superuser may trace the process or read it in /proc.
    public static func forbidDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        // Neither fails: a limit may always be lowered, and the flag is one that prctl(2) knows.
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = sluice_forbid_dumps()
    }

    /// Gives back what only starting needed: pages of program and libraries that were read and never changed, and free
    /// memory of the allocator. What is needed again the kernel maps again, from the same page cache.
    public static func releaseStartPages() {
        sluice_release_start_pages()
        malloc_trim(0)
    }
}
