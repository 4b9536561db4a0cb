/// Why an exchange ended without an answer.
public struct TransportFailure: Hashable, Sendable {
    public enum Kind: Sendable, CaseIterable {
        /// The host's name has no address, or the resolver does not answer.
        case dns
        /// No connection: refused, no route.
        case connect
        /// No trusted TLS: certificate, protocol, or a file of certificates that cannot be read.
        case tls
        case timeout
        /// The connection ended before the answer did.
        case reset
        /// The proxy cannot be reached or wants something else first (407).
        case proxy
        /// What came is no answer of HTTP, or none that ends.
        case notHTTP
        /// Ended by this program: a stop, or a changed configuration.
        case aborted
        case other
    }

    public var kind: Kind
    /// libcurl's number, for people who search for it.
    public var curlCode: Int32
    /// What happened, for people.
    public var text: String

    public init(kind: Kind, curlCode: Int32, text: String) {
        self.kind = kind
        self.curlCode = curlCode
        self.text = text
    }

    /// Reads a CURLcode.
    ///
    /// - Parameter proxyStatus: what the proxy answered to CONNECT, where one did. libcurl reports a
    ///   refusal under the codes of broken connections.
    ///
    /// Source: libcurl-errors(3); the numbers are part of libcurl's ABI.
    public init(curlCode: Int32, proxyStatus: Int? = nil, text: String) {
        let kind: Kind
        if let proxyStatus, !(200..<300).contains(proxyStatus) {
            kind = .proxy
        } else {
            kind = Self.kinds[curlCode] ?? .other
        }
        self.init(kind: kind, curlCode: curlCode, text: text)
    }

    private static let kinds: [Int32: Kind] = [
        5: .proxy, 97: .proxy,
        6: .dns,
        7: .connect,
        28: .timeout,
        35: .tls, 53: .tls, 54: .tls, 58: .tls, 59: .tls, 60: .tls, 64: .tls, 66: .tls, 77: .tls,
        80: .tls, 82: .tls, 83: .tls, 90: .tls, 91: .tls, 98: .tls,
        16: .reset, 18: .reset, 52: .reset, 55: .reset, 56: .reset, 92: .reset, 95: .reset,
        1: .notHTTP, 8: .notHTTP, 23: .notHTTP, 27: .notHTTP,
        26: .aborted, 42: .aborted,
    ]
}
