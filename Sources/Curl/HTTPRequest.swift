public import Digest

/// One HTTP request, complete: what is sent is exactly this and what HTTP itself needs.
public struct HTTPRequest {
    public nonisolated enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    public var method: Method
    /// Scheme, authority, path and query, encoded already; sent as it is, `//` and `..` too.
    public var url: String
    /// Fields beyond what HTTP itself needs; a `host` here replaces the URL's.
    public var headers: [HeaderField]
    public var body: (any UploadBody)?
    /// A POST's body that nobody else may see, in place of `body`; libcurl gets it from here.
    public var secretBody: Secret?
    public var options: TransferOptions
    /// Takes the bytes of a 2xx answer instead of `HTTPResponse.body`.
    public var sink: ((UnsafeRawBufferPointer) -> Void)?
    /// Once the sink has got more bytes than this the connection is closed; the answer counts as complete.
    public var mostForSink = Int.max

    public init(
        _ method: Method, _ url: String, headers: [HeaderField] = [],
        body: (any UploadBody)? = nil, secretBody: Secret? = nil,
        options: TransferOptions = TransferOptions(),
        sink: ((UnsafeRawBufferPointer) -> Void)? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.secretBody = secretBody
        self.options = options
        self.sink = sink
    }

    /// Scheme and authority of the URL, and the socket it is reached by: whom the request goes to.
    var origin: String {
        let afterScheme = url.utf8.firstRange(of: "://".utf8)?.upperBound ?? url.startIndex
        let end = url[afterScheme...].firstIndex { "/?#".contains($0) } ?? url.endIndex
        return url[..<end] + (options.unixSocket.map { " over \($0)" } ?? "")
    }
}

/// One field of a request's or an answer's head.
public nonisolated struct HeaderField: Sendable, Equatable {
    public var name: String
    public var value: TextOrSecret

    public init(_ name: String, _ value: TextOrSecret) {
        self.name = name
        self.value = value
    }

    public init(_ name: String, _ value: String) {
        self.init(name, .plain(value))
    }

    /// Whether the field stays within its line.
    var isWellFormed: Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
            && value.withUnsafeBytes { $0.allSatisfy { $0 != 0 && $0 != 0x0D && $0 != 0x0A } }
    }

    /// Lends the line as libcurl wants it, ended by a zero, in memory that is cleansed.
    func withLine<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        value.withUnsafeBytes { value in
            let line = SecretBuffer(capacity: name.utf8.count + value.count + 3)
            line.append(name)
            // "name:" alone would remove a field that libcurl adds; "name;" sends an empty one.
            line.append(value.isEmpty ? ";" : ": ")
            line.append(value)
            line.append(0)
            return line.withUnsafeBytes { body($0.bindMemory(to: CChar.self).baseAddress) }
        }
    }
}
