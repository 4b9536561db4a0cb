internal import Digest
public import Model

/// How a service reads paths, and its name in the scope of a signature.
public enum SigningService: Sendable, Equatable {
    /// Each path is encoded once and never normalised: `a//b` and `a/../b` are keys of their own.
    case s3
    /// STS and others: the path is normalised and encoded twice.
    case other(String)

    public var name: String {
        switch self {
        case .s3: "s3"
        case .other(let name): name
        }
    }
}

/// A request as it goes over the wire.
public struct SignedRequest: Sendable, Equatable {
    /// Path and query, encoded: the request line's target, to be sent as it is.
    public let target: String
    /// All headers to be sent, `host` and `authorization` too; names in lower case, none twice.
    public let headers: [Header]
}

/// Signs requests with Signature Version 4, for one key, region and service.
///
/// It signs exactly the headers it returns. Nothing here reads a clock: each attempt brings its own
/// time, corrected for the server's where that is known. The key derived for a day is kept, and wiped
/// with the last copy of the signer.
///
/// Source: "Create a signed AWS API request", IAM User Guide.
public struct RequestSigner: Sendable {
    public let credentials: Credentials
    public let region: String
    public let service: SigningService
    private var derived: (date: String, key: Secret)?

    public init(credentials: Credentials, region: String, service: SigningService) {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// Signs a request as sent at the given time.
    ///
    /// Headers that signing makes (`host`, `authorization`, `x-amz-date`, `x-amz-content-sha256` and
    /// `x-amz-security-token`) replace those given.
    public mutating func sign(_ request: UnsignedRequest, at time: Timestamp) -> SignedRequest {
        let canonical = canonicalRequest(for: request, at: time)
        let date = String(time.basic.prefix(8))
        let scope = "\(date)/\(region)/\(service.name)/aws4_request"
        let stringToSign =
            "\(Self.algorithm)\n\(time.basic)\n\(scope)\n\(canonical.digest().hex)"
        let signature = HMACSHA256.code(of: stringToSign, key: signingKey(for: date))
        let authorization =
            "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope), "
            + "SignedHeaders=\(canonical.signedHeaders), Signature=\(signature.hex)"
        let query = CanonicalRequest.sentQuery(request.query)
        return SignedRequest(
            target: PercentEncoding.path(request.path) + (query.isEmpty ? "" : "?" + query),
            headers: canonical.headers + [Header("authorization", authorization)])
    }

    /// The canonical form of a request with the headers that signing adds.
    func canonicalRequest(for request: UnsignedRequest, at time: Timestamp) -> CanonicalRequest {
        precondition(request.path.utf8.first == UInt8(ascii: "/"), "a path begins with a slash")
        var added = [Header("host", request.host.lowercased()), Header("x-amz-date", time.basic)]
        if service == .s3 {
            added.append(Header("x-amz-content-sha256", request.payload.text))
        }
        if let token = credentials.sessionToken {
            added.append(Header("x-amz-security-token", .secret(token)))
        }
        var request = request
        request.headers.removeAll { Self.made.contains($0.name.lowercased()) }
        request.headers += added
        return CanonicalRequest(request, service: service)
    }

    private static let algorithm = "AWS4-HMAC-SHA256"
    private static let made: Set<String> = [
        "host", "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token",
    ]

    /// The key of one day: HMACs of date, region, service and a constant, each keyed by the one before.
    private mutating func signingKey(for date: String) -> Secret {
        if let derived, derived.date == date { return derived.key }
        var key = credentials.secretAccessKey.withUnsafeBytes { secret in
            Secret(count: 4 + secret.count) { output in
                output.copyBytes(from: "AWS4".utf8)
                UnsafeMutableRawBufferPointer(rebasing: output[4...]).copyMemory(from: secret)
            }
        }
        for part in [date, region, service.name, "aws4_request"] {
            key = HMACSHA256.derivedKey(from: key, for: part)
        }
        derived = (date, key)
        return key
    }
}
