public import Digest

/// A request before it is signed. Nothing in it is encoded yet.
public struct UnsignedRequest: Sendable {
    /// `GET`, `HEAD`, `PUT`, `POST` or `DELETE`.
    public var method: String
    /// The host as the client sends it: with its port, unless that is the scheme's own.
    public var host: String
    /// The path as it is meant, beginning with "/": what follows is the key, byte for byte.
    public var path: String
    public var query: [QueryItem]
    /// What is sent besides `host` and the headers that signing adds.
    public var headers: [Header]
    public var payload: Payload

    public init(
        method: String, host: String, path: String, query: [QueryItem] = [],
        headers: [Header] = [], payload: Payload = .empty
    ) {
        self.method = method
        self.host = host
        self.path = path
        self.query = query
        self.headers = headers
        self.payload = payload
    }
}

/// One `name=value` of a query; without a value (`?location`) only the name is sent.
public struct QueryItem: Sendable, Equatable {
    public var name: String
    public var value: String?

    public init(_ name: String, _ value: String? = nil) {
        self.name = name
        self.value = value
    }
}

/// One line of a request's head.
public struct Header: Sendable, Equatable {
    public var name: String
    public var value: TextOrSecret

    public init(_ name: String, _ value: TextOrSecret) {
        self.name = name
        self.value = value
    }

    public init(_ name: String, _ value: String) {
        self.init(name, .plain(value))
    }
}

/// How the body takes part in the signature.
public enum Payload: Sendable, Equatable {
    case sha256(SHA256Digest)
    /// The body is not signed: for TLS only, where the body cannot be changed on its way.
    case unsigned

    /// No body: the digest of nothing.
    public static let empty = Payload.sha256(SHA256.digest(of: ""))

    var text: String {
        switch self {
        case .sha256(let digest): digest.hex
        case .unsigned: "UNSIGNED-PAYLOAD"
        }
    }
}
