/// What a client asked for, complete with its body.
public struct HTTPRequest: Sendable, Equatable {
    public enum Method: String, Sendable { case get = "GET", post = "POST" }

    public let method: Method
    /// Percent-decoded, without the query.
    public let path: String
    /// The query's names and values, decoded; of a name that comes twice the first counts.
    public let query: [String: String]
    /// At most `LocalServer.bodyLimit` bytes.
    public let body: [UInt8]
    /// What the client takes the server's name for; nil where it does not say, as HTTP/1.0 allows.
    public var host: String?
}
