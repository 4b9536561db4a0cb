/// How a request travels: its limits in time, whom it trusts, and by which way it goes.
public nonisolated struct TransferOptions: Sendable, Equatable {
    public enum Proxy: Sendable, Equatable {
        /// `HTTPS_PROXY`, `http_proxy`, `ALL_PROXY` and `NO_PROXY`, as libcurl reads them.
        case environment
        /// This one for every host, whatever the environment says.
        case url(String)
        case none
    }

    /// Name resolution, TCP, proxy and TLS together.
    public var connectTimeout = Duration.seconds(10)
    /// How long fewer than `idleLimit` bytes a second may go either way; waiting for the answer counts.
    public var idleTimeout = Duration.seconds(60)
    /// Bytes a second. A link slower than this over `idleTimeout` counts as dead.
    public var idleLimit = 64
    /// From the moment the last byte of the request was handed over to the end of the answer.
    ///
    /// It bounds an answer that trickles. With a sink it ends with the head of the answer.
    public var answerTimeout = Duration.seconds(90)
    /// Certificates that are trusted in place of the system's.
    public var caFile: String?
    public var proxy = Proxy.environment
    /// Connects to this socket in place of the URL's host.
    public var unixSocket: String?
    public var userAgent = "sluice"

    public init() {}
}

nonisolated extension Duration {
    /// Whole milliseconds, at least one: libcurl takes zero for "no limit".
    var milliseconds: Int {
        max(1, Int(components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000))
    }

    /// Whole seconds, rounded up, at least one.
    var wholeSeconds: Int {
        max(1, Int(components.seconds) + (components.attoseconds > 0 ? 1 : 0))
    }
}
