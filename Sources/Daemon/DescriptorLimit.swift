import Glibc

/// How many descriptors this process may have open.
///
/// Dispatch ends the process without a word where it gets none for its own needs; so a limit that is too low is refused
/// at the start, while it can be told.
enum DescriptorLimit {
    /// 32 uploads with an object and a connection each, the workers' files, and the loop's own.
    static let least: rlim_t = 128
    /// What Linux gives by default, and all that is asked for: programs that credentials come from inherit it.
    private static let wanted: rlim_t = 1024

    /// Raises a limit below the default, as far as that is allowed.
    static func secure() throws(StartFailure) {
        let descriptors = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        // It fails for no process that asks about itself.
        guard getrlimit(descriptors, &limit) == 0, limit.rlim_cur < wanted else { return }
        limit.rlim_cur = min(limit.rlim_max, wanted)
        _ = setrlimit(descriptors, &limit)
        guard limit.rlim_cur < least else { return }
        throw StartFailure(
            "it may have \(limit.rlim_cur) files open and needs \(least); allow it more "
                + "(LimitNOFILE= of the unit, or ulimit -n)", status: ExitStatus.failed)
    }
}
