internal import Curl
internal import Delivery
internal import Digest
internal import Encoding
internal import Model

nonisolated extension Answer {
    /// The member of an object's metadata that holds the SHA-256 of its bytes.
    static let digestHeader = "x-amz-meta-sluice-sha256"

    init(_ outcome: TransferOutcome) {
        switch outcome {
        case .success(let response): self.init(response)
        case .failure(let failure): self.init(failure)
        }
    }

    private init(_ response: HTTPResponse) {
        self.init(status: response.status)
        mayHaveArrived = response.followsLostAnswer
        let document = ResponseDocument(response.body)
        code = document?.code
        message = document?.message
        header = document?.header
        requestID =
            ResponseDocument.requestID(response.header("x-amz-request-id")) ?? document?.requestID
        extendedRequestID = ResponseDocument.requestID(response.header("x-amz-id-2"))
        entityTag = ResponseDocument.entityTag(response.header("etag")) ?? document?.entityTag
        uploadID = document?.uploadID
        isCompletion = document?.isCompletion ?? false
        date = response.header("date").flatMap(HTTPDate.timestamp)
        let region = response.header("x-amz-bucket-region") ?? document?.region
        // It becomes part of a host name: whoever answers may not choose more than a region.
        bucketRegion = region.flatMap { Partition.isRegion($0) ? $0 : nil }
        retryAfter = response.header("retry-after").flatMap { Self.pause($0, after: date) }
        contentLength = response.header("content-length").flatMap { UInt64($0) }
        lastModified = response.header("last-modified").flatMap(HTTPDate.timestamp)
        digest = response.header(Self.digestHeader)
    }

    private init(_ failure: TransferFailure) {
        let reason: TransportFailure
        switch failure.cause {
        case .curl(let code):
            reason = TransportFailure(
                curlCode: code, proxyStatus: failure.proxyStatus, text: failure.text)
        case .answerTimeout:
            reason = TransportFailure(kind: .timeout, curlCode: 28, text: failure.text)
        case .body:
            reason = TransportFailure(kind: .aborted, curlCode: 26, text: failure.text)
        case .request:
            reason = TransportFailure(kind: .other, curlCode: 3, text: failure.text)
        case .cancelled:
            reason = TransportFailure(kind: .aborted, curlCode: 42, text: failure.text)
        }
        self.init(.failed(reason))
        mayHaveArrived = failure.sent == .perhapsAll
    }

    /// Seconds, or a date, which counts from the answer's own.
    private static func pause(_ text: String, after date: Timestamp?) -> Duration? {
        if let seconds = Int64(text), seconds >= 0 { return .seconds(seconds) }
        guard let date, let until = HTTPDate.timestamp(text) else { return nil }
        return .seconds(max(0, until.unixSeconds - date.unixSeconds))
    }
}
