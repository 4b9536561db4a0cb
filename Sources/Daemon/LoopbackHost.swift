import HTTPServer
import Model

extension HTTPRequest {
    /// Whether the server's name is one that only this machine answers to.
    ///
    /// A page of the web may have its own name point at 127.0.0.1 once it is loaded (DNS rebinding), and its scripts then
    /// read what a port of this machine answers. But a browser says by which name it asks, and no page has one of these
    /// for its own: RFC 6761, section 6.3.
    var isForLoopback: Bool {
        guard let host else { return true }
        let name = Self.withoutPort(host).lowercased()
        return name == "localhost" || name.hasSuffix(".localhost") || name == "[::1]"
            || ListenAddress.isLoopback4(name)
    }

    private static func withoutPort(_ host: String) -> Substring {
        guard let colon = host.lastIndex(of: ":"),
            host[host.index(after: colon)...].utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return host[...] }
        return host[..<colon]
    }
}
