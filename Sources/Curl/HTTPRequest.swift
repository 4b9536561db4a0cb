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
    public var options: TransferOptions
    /// Takes the bytes of a 2xx answer instead of `HTTPResponse.body`, however many there are.
    public var sink: ((UnsafeRawBufferPointer) -> Void)?

    public init(
        _ method: Method, _ url: String, headers: [HeaderField] = [],
        body: (any UploadBody)? = nil, options: TransferOptions = TransferOptions(),
        sink: ((UnsafeRawBufferPointer) -> Void)? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
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
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// As libcurl wants it; nil where the field would break out of its line.
    var line: String? {
        guard !name.isEmpty,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }),
            value.utf8.allSatisfy({ $0 != 0 && $0 != 0x0D && $0 != 0x0A })
        else { return nil }
        // "name:" alone would remove a field that libcurl adds; "name;" sends an empty one.
        return value.isEmpty ? "\(name);" : "\(name): \(value)"
    }
}
