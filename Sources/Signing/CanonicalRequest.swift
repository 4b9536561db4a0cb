internal import Digest

/// The form of a request that is hashed and signed: one spelling for what may be written in many.
///
/// ```
/// method \n path \n query \n (name:value \n)… \n names;… \n payload
/// ```
///
/// It is kept in pieces and hashed piece by piece: one of them may be a session token.
///
/// Source: "Create a signed AWS API request", step 1; for S3, "Signature Calculations for the
/// Authorization Header".
struct CanonicalRequest {
    /// Names in lower case, in ascending order, none twice.
    let headers: [Header]
    /// The names of `headers`, joined by semicolons.
    let signedHeaders: String
    /// The lines before the headers, and those behind them.
    private let head: String
    private let tail: String

    init(_ request: UnsignedRequest, service: SigningService) {
        headers = Self.canonical(request.headers)
        signedHeaders = headers.map(\.name).joined(separator: ";")
        let path: String
        switch service {
        case .s3:
            path = PercentEncoding.path(request.path)
        case .other:
            let once = PercentEncoding.path(Self.normalized(request.path))
            path = PercentEncoding.path(once)
        }
        head = "\(request.method)\n\(path)\n\(Self.query(request.query))\n"
        tail = "\n\(signedHeaders)\n\(request.payload.text)"
    }

    /// All of it, in order.
    var pieces: [TextOrSecret] {
        let lines = headers.flatMap { [.plain("\($0.name):"), $0.value, .plain("\n")] }
        return [.plain(head)] + lines + [.plain(tail)]
    }

    func digest() -> SHA256Digest {
        var computation = SHA256()
        for piece in pieces { piece.withUnsafeBytes { computation.update($0) } }
        return computation.finish()
    }

    /// Query items, encoded, in ascending order of name and then value.
    private static func query(_ items: [QueryItem]) -> String {
        sorted(items).map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// The query as it is sent: the canonical order, and no "=" after a name that stands alone.
    static func sentQuery(_ items: [QueryItem]) -> String {
        sorted(items).map { $0.standsAlone ? $0.name : "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }

    private static func sorted(
        _ items: [QueryItem]
    ) -> [(name: String, value: String, standsAlone: Bool)] {
        items.map { item in
            (
                name: PercentEncoding.component(item.name),
                value: PercentEncoding.component(item.value ?? ""), standsAlone: item.value == nil
            )
        }.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
    }

    /// Joins headers of one name with commas, in the order in which they were given.
    private static func canonical(_ headers: [Header]) -> [Header] {
        var values: [String: TextOrSecret] = [:]
        for header in headers {
            let name = header.name.lowercased()
            precondition(isToken(name), "\"\(header.name)\" is no name of a header")
            let value = collapsed(header.value)
            values[name] = values[name].map { joined($0, value) } ?? value
        }
        return values.sorted { $0.key < $1.key }.map { Header($0.key, $0.value) }
    }

    private static func joined(_ first: TextOrSecret, _ second: TextOrSecret) -> TextOrSecret {
        guard case (.plain(let first), .plain(let second)) = (first, second) else {
            preconditionFailure("a header with a secret stands once")
        }
        return .plain("\(first),\(second)")
    }

    /// Trims a value and makes each run of blanks and control characters one space.
    ///
    /// So no value can end its line and begin another header.
    private static func collapsed(_ value: TextOrSecret) -> TextOrSecret {
        switch value {
        case .plain(let text):
            let words = text.utf8.split(whereSeparator: isBlank)
            return .plain(words.map { String(Substring($0)) }.joined(separator: " "))
        case .secret(let secret):
            let line = SecretBuffer(capacity: secret.count)
            secret.withUnsafeBytes { bytes in
                for word in bytes.split(whereSeparator: isBlank) {
                    if !line.isEmpty { line.append(" ") }
                    line.append(UnsafeRawBufferPointer(rebasing: word))
                }
            }
            return .secret(line.withUnsafeBytes { Secret(copying: $0) })
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte <= UInt8(ascii: " ") || byte == 0x7F
    }

    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                $0 > UInt8(ascii: " ") && $0 < 0x7F && $0 != UInt8(ascii: ":")
                    && $0 != UInt8(ascii: ";")
            }
    }

    /// Removes empty, "." and ".." segments, as services other than S3 expect.
    ///
    /// Source: RFC 3986, section 5.2.4; runs of slashes count as one.
    private static func normalized(_ path: String) -> String {
        var kept: [Substring.UTF8View] = []
        for segment in Substring(path).utf8.split(separator: UInt8(ascii: "/")) {
            if segment.elementsEqual("..".utf8) {
                _ = kept.popLast()
            } else if !segment.elementsEqual(".".utf8) {
                kept.append(segment)
            }
        }
        let ending = path.utf8.last == UInt8(ascii: "/") && !kept.isEmpty ? "/" : ""
        return "/" + kept.map { String(Substring($0)) }.joined(separator: "/") + ending
    }
}
