/// What an answer means.
///
/// S3's `<Code>` decides, never a piece of a body; where it is missing or unknown the status does.
/// Three rules keep accidents from looking like rejected credentials, which alone can cost events:
/// a code has to be listed, the status has to be 4xx, and the answer has to carry a request ID, which
/// proxies and portals do not have. An unknown code is held like a misconfiguration.
///
/// Source: "Error responses", Amazon S3 API Reference.
extension Disposition {
    public init(of attempt: Attempt, answer: Answer) {
        switch answer.outcome {
        case .failed(let failure) where failure.kind == .aborted:
            self = .aborted
        case .failed(let failure):
            let cause = Cause(code: "curl \(failure.curlCode)", message: failure.text)
            self = .backingOff(.unreachable, cause, retryAfter: nil)
        case .status(let status):
            self = Classification(attempt: attempt, answer: answer, status: status).disposition
        }
    }
}

/// One answer with a status, on its way to a disposition.
private struct Classification {
    let attempt: Attempt
    let answer: Answer
    let status: Int

    var operation: Operation { attempt.operation }

    var cause: Cause {
        Cause(
            code: answer.code ?? "HTTP \(status)", message: answer.message,
            requestID: answer.requestID, date: answer.date)
    }

    var disposition: Disposition {
        if (200..<300).contains(status) { return success }
        if status == 407 { return backingOff(.unreachable) }
        if status == 403, answer.requestID == nil { return backingOff(.unreachable) }
        if status == 403, answer.code == nil {
            return operation == .headObject ? .advice(cause) : backingOff(.unreachable)
        }
        return answer.code.flatMap(byCode) ?? byStatus
    }

    /// A 2xx is not yet a success.
    ///
    /// A store may fail when the head of its answer has left already; its document says so then. And portals, proxies
    /// and other servers answer anything with 200: a delivery takes what only a store has.
    var success: Disposition {
        if let code = answer.code { return byCode(code) ?? backingOff(.serverError) }
        switch operation {
        case .putObject: return answer.isOfStore ? .delivered : backingOff(.unreachable)
        case .createMultipartUpload: return answer.uploadID == nil ? incomplete : .answered
        case .uploadPart: return answer.entityTag == nil ? incomplete : .answered
        case .completeMultipartUpload: return answer.isCompletion ? .delivered : incomplete
        // Not every store says who it is with a 204; a portal answers with a page.
        case .deleteObject where status == 204: return .answered
        case .deleteObject: return answer.isOfStore ? .answered : backingOff(.unreachable)
        case .headObject, .getObject, .getBucketLocation, .listBucket, .abortMultipartUpload:
            return .answered
        }
    }

    /// A 2xx without what has to be in it.
    var incomplete: Disposition {
        backingOff(answer.requestID == nil ? .unreachable : .serverError)
    }

    // MARK: By code

    /// nil: the code says no more than the status.
    func byCode(_ code: String) -> Disposition? {
        if Codes.throttled.contains(code) { return backingOff(.throttled) }
        if code == "NotImplemented" { return unsupported }
        if status >= 500 { return nil }
        if Codes.credentials.contains(code) {
            return isRejection ? .credentials(.connector, cause) : backingOff(.unreachable)
        }
        if Codes.batch.contains(code), concernsBatch { return .batchHeld(.refused(cause)) }
        switch code {
        case "AccessDenied":
            guard isRejection else { return backingOff(.unreachable) }
            return operation.delivers ? .credentials(.eventType, cause) : .advice(cause)
        case "ExpiredToken":
            return .refreshCredentials(cause)
        case "RequestTimeTooSkewed":
            return answer.date.map { .clock(server: $0, cause) } ?? .misconfigured(.refused(cause))
        case "PermanentRedirect", "AuthorizationHeaderMalformed":
            return otherRegion ?? .misconfigured(.refused(cause))
        case "RequestTimeout":
            return backingOff(.unreachable)
        case "NoSuchBucket":
            return .misconfigured(.refused(cause))
        case "NoSuchKey" where isLookup || operation == .deleteObject:
            return .missing
        default:
            return operation == .completeMultipartUpload && status < 300
                ? byCodeOfCompletion(code) : byCodeOfUpload(code)
        }
    }

    /// What S3 says of an upload in parts.
    private func byCodeOfUpload(_ code: String) -> Disposition? {
        switch code {
        case "NoSuchUpload" where operation == .abortMultipartUpload: .missing
        case "NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall":
            operation == .uploadPart || operation == .completeMultipartUpload
                ? .startOver(cause) : nil
        default: nil
        }
    }

    /// S3 sends the head of this answer before it knows the end, so the code stands for a status, too.
    private func byCodeOfCompletion(_ code: String) -> Disposition? {
        switch code {
        case "PreconditionFailed": .existing
        case "ConditionalRequestConflict", "OperationAborted": .conflict(cause)
        default: byCodeOfUpload(code)
        }
    }

    /// Whether this is an S3 document that may speak about credentials.
    var isRejection: Bool { (400..<500).contains(status) && answer.requestID != nil }

    var concernsBatch: Bool {
        operation.delivers || isLookup
    }

    /// The feature to give up: the one S3 names, otherwise first the checksum, which protects less.
    var unsupported: Disposition {
        guard operation.delivers || operation == .deleteObject else { return refused }
        let feature: OptionalFeature?
        switch answer.header?.lowercased() {
        case "if-none-match": feature = .conditionalWrites
        case "if-match": feature = .conditionalDeletes
        case "x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm":
            feature = .checksum
        case nil:
            let order: [OptionalFeature] = [.checksum, .conditionalWrites, .conditionalDeletes]
            feature = order.first { attempt.features.contains($0) }
        default: feature = nil
        }
        guard let feature, attempt.features.contains(feature) else { return refused }
        return .unsupported(feature, cause)
    }

    /// The region to go to, if the answer names one that was not tried just now.
    var otherRegion: Disposition? {
        guard let region = answer.bucketRegion, !region.isEmpty, region != attempt.region else {
            return nil
        }
        return .region(region, cause)
    }

    // MARK: By status

    var byStatus: Disposition {
        switch status {
        case 301:
            return otherRegion ?? refused
        case 400 where answer.code == nil:
            return otherRegion ?? refused
        // S3 sends it while the DNS of a new bucket spreads: the regional endpoint is right already.
        case 307:
            return otherRegion ?? backingOff(.serverError)
        case 404 where isLookup && answer.code == nil:
            return .missing
        case 408:
            return backingOff(.unreachable)
        case 409 where operation.delivers || operation == .deleteObject:
            return .conflict(cause)
        case 412 where operation.stores || operation == .deleteObject:
            return .existing
        case 413, 414:
            return concernsBatch ? .batchHeld(.refused(cause)) : refused
        case 429:
            return backingOff(.throttled)
        case 200..<500:
            return refused
        case 500..<600:
            return backingOff(.serverError)
        default:
            return backingOff(.unreachable)
        }
    }

    /// A refusal that nothing above explains. Without code and request ID, it is not S3 who refuses.
    var refused: Disposition {
        if answer.code == nil, answer.requestID == nil { return backingOff(.unreachable) }
        if isOptional || (operation == .headObject && answer.code == nil) { return .advice(cause) }
        return .misconfigured(.refused(cause))
    }

    var isLookup: Bool { operation == .headObject || operation == .getObject }

    /// Whether deliveries go on without an answer to this question.
    var isOptional: Bool { !operation.delivers && !isLookup }

    func backingOff(_ reason: BackoffReason) -> Disposition {
        .backingOff(reason, cause, retryAfter: answer.retryAfter)
    }
}

/// The codes that mean more than their status.
enum Codes {
    static let credentials: Set<String> = [
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "TokenRefreshRequired",
        "InvalidSecurity", "MissingAuthenticationToken", "InvalidSignature",
        "CredentialsNotSupported", "InvalidPayer", "InvalidClientTokenId", "AccountProblem",
        "AllAccessDisabled", "NotSignedUp",
    ]
    /// Those that credentials and roles made just now may get, until every part of AWS knows them.
    static let unknownAtFirst: Set<String> = [
        "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "AccessDenied",
    ]
    static let batch: Set<String> = [
        "KeyTooLongError", "EntityTooLarge", "BadDigest", "XAmzContentSHA256Mismatch",
        "InvalidRequest",
    ]
    static let throttled: Set<String> = ["SlowDown", "KMS.ThrottlingException"]
}
