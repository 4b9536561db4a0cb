public import Model

/// What came back of one HTTP exchange.
public struct Answer: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        /// A whole response with this status came.
        case status(Int)
        case failed(TransportFailure)
    }

    public var outcome: Outcome
    /// Whether the request may have reached the server without an answer: this time, or when it was sent before.
    public var mayHaveArrived = false

    /// `<Code>`, `<Message>` and `<Header>` of an S3 error document. HEAD has no body, so none.
    public var code: String?
    public var message: String?
    public var header: String?

    /// `x-amz-request-id`, or `<RequestId>` where that is missing.
    public var requestID: String?
    /// `x-amz-id-2`, which AWS support asks for.
    public var extendedRequestID: String?
    /// The server's clock, from `Date`.
    public var date: Timestamp?
    /// `x-amz-bucket-region`, or `<Region>` of an error document.
    public var bucketRegion: String?
    /// `Retry-After`; a date there is made a duration with the answer's own `Date`.
    public var retryAfter: Duration?

    /// `ETag`, as it was sent, quotation marks and all: every store gives one to what it stored.
    public var entityTag: String?
    /// `<UploadId>` of CreateMultipartUpload.
    public var uploadID: String?
    /// Whether there is a whole `<CompleteMultipartUploadResult>`: a 200 alone does not say that the parts became an object.
    public var isCompletion = false

    /// `Content-Length` of a HEAD.
    public var contentLength: UInt64?
    /// `Last-Modified` of a HEAD.
    public var lastModified: Timestamp?
    /// `x-amz-meta-sluice-sha256`: what the object's bytes are known by, a `ContentDigest`.
    public var digest: String?

    public init(_ outcome: Outcome) {
        self.outcome = outcome
    }

    public init(status: Int, code: String? = nil, requestID: String? = nil) {
        outcome = .status(status)
        self.code = code
        self.requestID = requestID
    }

    public var status: Int? {
        if case .status(let status) = outcome { status } else { nil }
    }

    /// Whether it has marks of a store; other servers, proxies and portals have neither.
    var isOfStore: Bool { requestID != nil || entityTag != nil }

    /// Whether the body may lie in the bucket although nobody said so.
    ///
    /// A lost answer says nothing; 408, 5xx and a 2xx that is no success do not say how far the server came.
    public var leavesUncertain: Bool {
        switch outcome {
        case .failed: mayHaveArrived
        case .status(let status):
            mayHaveArrived || status == 408 || status >= 500 || code == "RequestTimeout"
                || (status < 300 && (code != nil || !isOfStore))
        }
    }
}

/// How an object that was already there relates to the one that was to be stored.
public enum Comparison: Sendable, Equatable {
    /// Delivered by an earlier attempt.
    case equal
    /// Somebody else's object under our key.
    case different
    /// The answer does not tell: get the object and hash it.
    case unknown
}

extension Answer {
    /// Compares the object that a HEAD describes with a batch's length and digest. A digest of pieces says nothing about
    /// one of the whole.
    ///
    /// Never by the ETag: it is no digest of the bytes once the bucket encrypts.
    public func comparison(length: UInt64, digest expected: String) -> Comparison {
        if let contentLength, contentLength != length { return .different }
        guard let digest, digest.contains("-") == expected.contains("-") else { return .unknown }
        if digest.lowercased() != expected.lowercased() { return .different }
        return contentLength == nil ? .unknown : .equal
    }
}
