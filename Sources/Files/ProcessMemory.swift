internal import CLinux
import Glibc

/// The memory of this process, as far as it can be given back.
public enum ProcessMemory {
    /// Keeps the allocator from setting apart memory for each thread: what one frees, another can use.
    public static func shareAmongThreads() {
        mallopt(M_ARENA_MAX, 2)
    }

    /// Gives back what only starting needed: pages of program and libraries that were read and never changed, and free
    /// memory of the allocator. What is needed again the kernel maps again, from the same page cache.
    public static func releaseStartPages() {
        sluice_release_start_pages()
        malloc_trim(0)
    }
}
