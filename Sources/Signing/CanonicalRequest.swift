/// The form of a request that is hashed and signed: one spelling for what may be written in many.
///
/// ```
/// method \n path \n query \n (name:value \n)… \n names;… \n payload
/// ```
///
/// Source: "Create a signed AWS API request", step 1; for S3, "Signature Calculations for the
/// Authorization Header".
struct CanonicalRequest: Equatable {
    /// Names in lower case, in ascending order, none twice.
    let headers: [Header]
    /// The names of `headers`, joined by semicolons.
    let signedHeaders: String
    let text: String

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
        let head = "\(request.method)\n\(path)\n\(Self.query(request.query))\n"
        let lines = headers.map { "\($0.name):\($0.value)\n" }.joined()
        text = head + lines + "\n\(signedHeaders)\n\(request.payload.text)"
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
        var values: [String: String] = [:]
        for header in headers {
            let name = header.name.lowercased()
            precondition(isToken(name), "\"\(header.name)\" is no name of a header")
            let value = collapsed(header.value)
            values[name] = values[name].map { "\($0),\(value)" } ?? value
        }
        return values.sorted { $0.key < $1.key }.map { Header($0.key, $0.value) }
    }

    /// Trims a value and makes each run of blanks and control characters one space.
    ///
    /// So no value can end its line and begin another header.
    private static func collapsed(_ value: String) -> String {
        let words = value.utf8.split { $0 <= UInt8(ascii: " ") || $0 == 0x7F }
        return words.map { String(Substring($0)) }.joined(separator: " ")
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
