/// What a client is told.
public struct HTTPResponse: Sendable, Equatable {
    public let status: Int
    public let contentType: String
    /// Further headers; those that every answer has are not among them.
    public let headers: [Header]
    public let body: [UInt8]

    public struct Header: Sendable, Equatable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public init(
        status: Int = 200, contentType: String, headers: [Header] = [], body: [UInt8]
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// A line of plain text, for people; the line feed is added.
    public static func text(_ line: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status, contentType: "text/plain; charset=utf-8", body: Array("\(line)\n".utf8))
    }

    /// A page that may load and ask for nothing beyond this server, and that no other page may show in a frame.
    ///
    /// Its styles and scripts stand in it. The rules are those of Content Security Policy Level 3.
    public static func page(_ html: [UInt8]) -> HTTPResponse {
        let policy = [
            "default-src 'none'", "style-src 'unsafe-inline'", "script-src 'unsafe-inline'",
            "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'",
            "frame-ancestors 'none'",
        ]
        return HTTPResponse(
            contentType: "text/html; charset=utf-8",
            headers: [Header("Content-Security-Policy", policy.joined(separator: "; "))], body: html
        )
    }

    /// A document of JSON.
    public static func json(_ document: [UInt8], status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "application/json", body: document)
    }
}
