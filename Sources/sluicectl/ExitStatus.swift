import ArgumentParser

/// How commands end: the numbers of sysexits(3) where it has one.
///
/// 64, wrong usage, is ArgumentParser's own for arguments that it refuses.
extension ExitCode {
    /// The thing asked for failed.
    static let failed = ExitCode(1)
    /// EX_TEMPFAIL: it may work later.
    static let tryAgainLater = ExitCode(75)
    /// EX_NOPERM
    static let noPermission = ExitCode(77)
    /// EX_CONFIG
    static let badConfiguration = ExitCode(78)
}
