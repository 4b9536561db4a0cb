import Files
import Glibc
import Spool

/// What a person is told when the spool fails.
extension SpoolFailure {
    /// What two failures that come of one thing have in common: the path is another each time.
    var cause: String {
        if case .file(let error) = self { return errorText(error.code) }
        return description
    }

    /// What to do about it, where the text of the failure does not say so.
    var advice: String? {
        guard case .file(let error) = self else { return nil }
        return error.advice
    }
}

extension FileError {
    /// What to do about a file system that does not do as it should.
    nonisolated var advice: String? {
        switch code {
        case ENOSPC: "make room on the spool's disk"
        case EDQUOT: "make room, or raise the disk quota of the user of sluiced"
        case EROFS:
            "the disk is mounted read-only, perhaps after an error that the kernel's log tells; "
                + "mount it for writing"
        case EIO: "the disk may be failing, see the kernel's log"
        case EMFILE: "allow sluiced more open files (LimitNOFILE=)"
        case ENFILE: "the machine has too many open files; raise fs.file-max"
        case ENOMEM: "give sluiced or the machine more memory"
        case EACCES, EPERM: "give the spool to the user of sluiced"
        default: nil
        }
    }

    /// The same of what watches a directory: there ENOSPC and EMFILE are about limits of a user.
    nonisolated var watchAdvice: String? {
        switch code {
        case ENOSPC: "raise fs.inotify.max_user_watches"
        case EMFILE: "allow more open files (LimitNOFILE=), or raise fs.inotify.max_user_instances"
        default: advice
        }
    }
}
