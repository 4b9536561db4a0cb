internal import CCurl
internal import Glibc

/// libcurl as a whole: made ready once, before the first transfer, and never torn down.
///
/// Making it ready also ignores SIGPIPE for the process: with `CURLOPT_NOSIGNAL` libcurl leaves that to
/// its user, and a server that closes a connection must not end the program.
public enum CurlLibrary {
    /// The version of libcurl that runs, such as `7.88.1`.
    public static var version: String {
        String(cString: sluice_version())
    }

    /// The oldest version with every option used here: `CURLOPT_QUICK_EXIT` came with 7.87.0.
    public static let oldestVersion = "7.87.0"

    static func prepare() {
        _ = prepared
    }

    private static let prepared: Void = {
        signal(SIGPIPE, SIG_IGN)
        let code = sluice_global_init()
        precondition(code == CURLE_OK, "libcurl cannot start: code \(code.rawValue)")
    }()
}
