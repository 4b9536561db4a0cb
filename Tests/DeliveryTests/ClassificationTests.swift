import Delivery
import Model
import Testing

/// One answer and what it has to mean.
struct AnswerCase: Sendable, CustomTestStringConvertible {
    var operation: Operation
    var answer: Answer
    var meaning: Meaning

    init(_ operation: Operation, _ status: Int, _ code: String?, _ meaning: Meaning) {
        self.operation = operation
        answer = Answer(status: status, code: code, requestID: "4442587FB7D0A2F9")
        self.meaning = meaning
    }

    func with(_ change: (inout Answer) -> Void) -> AnswerCase {
        var changed = self
        change(&changed.answer)
        return changed
    }

    var testDescription: String {
        "\(operation) \(answer.outcome) \(answer.code ?? "no code") \(answer.requestID ?? "no ID")"
    }
}

/// A disposition without what it carries along.
enum Meaning: Hashable, Sendable {
    case delivered, answered, existing, missing, connector, eventType, refresh, misconfigured
    case batch, clock, region, unsupported(OptionalFeature), conflict, startOver, advice, aborted
    case backingOff(BackoffReason)

    init(_ disposition: Disposition) {
        switch disposition {
        case .delivered: self = .delivered
        case .answered: self = .answered
        case .existing: self = .existing
        case .missing: self = .missing
        case .credentials(.connector, _): self = .connector
        case .credentials(.eventType, _): self = .eventType
        case .refreshCredentials: self = .refresh
        case .misconfigured: self = .misconfigured
        case .batchHeld: self = .batch
        case .clock: self = .clock
        case .region: self = .region
        case .unsupported(let feature, _): self = .unsupported(feature)
        case .conflict: self = .conflict
        case .startOver: self = .startOver
        case .backingOff(let reason, _, _): self = .backingOff(reason)
        case .advice: self = .advice
        case .aborted: self = .aborted
        }
    }
}

@Suite struct ClassificationTests {
    static let credentialCodes = [
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "TokenRefreshRequired",
        "InvalidSecurity", "MissingAuthenticationToken", "InvalidSignature",
        "CredentialsNotSupported", "InvalidPayer", "InvalidClientTokenId", "AccountProblem",
        "AllAccessDisabled", "NotSignedUp",
    ]
    static let batchCodes = [
        "KeyTooLongError", "EntityTooLarge", "BadDigest", "XAmzContentSHA256Mismatch",
        "InvalidRequest",
    ]
    static let otherCodes = [
        "AccessDenied", "ExpiredToken", "NoSuchBucket", "NoSuchKey", "KMS.DisabledException",
        "KMS.ThrottlingException", "InvalidStorageClass", "RequestTimeTooSkewed",
        "PermanentRedirect", "AuthorizationHeaderMalformed", "SlowDown", "RequestTimeout",
        "NotImplemented", "PreconditionFailed", "InternalError", "SomethingNobodyKnows",
    ]
    static let time = Timestamp(unixSeconds: 1_795_000_000)

    @Test(
        "Each credential code of an answer from S3 concerns the connector",
        arguments: credentialCodes, Operation.allCases)
    func credentials(code: String, operation: Operation) {
        for status in [400, 401, 403] {
            let answer = Answer(status: status, code: code, requestID: "1")
            let cause = Cause(code: code, requestID: "1")
            #expect(
                Disposition(of: Attempt(operation), answer: answer)
                    == .credentials(.connector, cause))
        }
    }

    @Test("Codes about one object hold that batch alone", arguments: batchCodes)
    func batches(code: String) {
        let answer = Answer(status: 400, code: code, requestID: "1")
        #expect(meaning(.putObject, answer) == .batch)
        #expect(meaning(.listBucket, answer) == .advice)
    }

    static let table: [AnswerCase] = [
        AnswerCase(.putObject, 200, nil, .delivered),
        AnswerCase(.putObject, 204, nil, .delivered),
        AnswerCase(.putObject, 200, "InternalError", .backingOff(.serverError)),
        AnswerCase(.putObject, 200, "SlowDown", .backingOff(.throttled)),
        AnswerCase(.putObject, 200, "AccessDenied", .backingOff(.unreachable)),
        AnswerCase(.putObject, 200, nil, .backingOff(.unreachable)).with { $0.requestID = nil },
        AnswerCase(.putObject, 200, nil, .delivered).with {
            ($0.requestID, $0.entityTag) = (nil, "\"1\"")
        },
        AnswerCase(.headObject, 200, nil, .answered),
        AnswerCase(.getObject, 206, nil, .answered),
        AnswerCase(.getBucketLocation, 200, nil, .answered),
        AnswerCase(.putObject, 403, "AccessDenied", .eventType),
        AnswerCase(.getObject, 403, "AccessDenied", .advice),
        AnswerCase(.getBucketLocation, 403, "AccessDenied", .advice),
        AnswerCase(.listBucket, 403, "AccessDenied", .advice),
        AnswerCase(.headObject, 403, nil, .advice),
        AnswerCase(.putObject, 403, nil, .backingOff(.unreachable)),
        AnswerCase(.putObject, 403, "SomethingNobodyKnows", .misconfigured),
        AnswerCase(.putObject, 400, "ExpiredToken", .refresh),
        AnswerCase(.putObject, 404, "NoSuchBucket", .misconfigured),
        AnswerCase(.getBucketLocation, 404, "NoSuchBucket", .misconfigured),
        AnswerCase(.getObject, 404, "NoSuchBucket", .misconfigured),
        AnswerCase(.getObject, 404, "NoSuchKey", .missing),
        AnswerCase(.headObject, 404, nil, .missing),
        AnswerCase(.putObject, 404, "NoSuchKey", .misconfigured),
        AnswerCase(.putObject, 400, "KMS.DisabledException", .misconfigured),
        AnswerCase(.putObject, 400, "KMS.ThrottlingException", .backingOff(.throttled)),
        AnswerCase(.putObject, 400, "InvalidStorageClass", .misconfigured),
        AnswerCase(.putObject, 403, "RequestTimeTooSkewed", .clock).with { $0.date = time },
        AnswerCase(.putObject, 403, "RequestTimeTooSkewed", .misconfigured),
        AnswerCase(.putObject, 301, "PermanentRedirect", .region).with { $0.bucketRegion = "b" },
        AnswerCase(.putObject, 301, "PermanentRedirect", .misconfigured),
        AnswerCase(.putObject, 301, "PermanentRedirect", .misconfigured)
            .with { $0.bucketRegion = "here" },
        AnswerCase(.putObject, 400, "AuthorizationHeaderMalformed", .region)
            .with { $0.bucketRegion = "b" },
        AnswerCase(.putObject, 400, "AuthorizationHeaderMalformed", .misconfigured),
        AnswerCase(.headObject, 301, nil, .region).with { $0.bucketRegion = "b" },
        AnswerCase(.headObject, 400, nil, .region).with { $0.bucketRegion = "b" },
        AnswerCase(.headObject, 400, nil, .advice),
        AnswerCase(.putObject, 307, "TemporaryRedirect", .region).with { $0.bucketRegion = "b" },
        AnswerCase(.putObject, 307, "TemporaryRedirect", .backingOff(.serverError)),
        AnswerCase(.putObject, 503, "SlowDown", .backingOff(.throttled)),
        AnswerCase(.putObject, 429, nil, .backingOff(.throttled)),
        AnswerCase(.putObject, 429, "SomethingNobodyKnows", .backingOff(.throttled)),
        AnswerCase(.putObject, 500, "InternalError", .backingOff(.serverError)),
        AnswerCase(.putObject, 503, nil, .backingOff(.serverError)),
        AnswerCase(.putObject, 503, "InvalidAccessKeyId", .backingOff(.serverError)),
        AnswerCase(.putObject, 400, "RequestTimeout", .backingOff(.unreachable)),
        AnswerCase(.putObject, 408, nil, .backingOff(.unreachable)),
        AnswerCase(.putObject, 407, nil, .backingOff(.unreachable)),
        AnswerCase(.putObject, 407, "AccessDenied", .backingOff(.unreachable)),
        AnswerCase(.putObject, 409, "ConditionalRequestConflict", .conflict),
        AnswerCase(.putObject, 409, "OperationAborted", .conflict),
        AnswerCase(.putObject, 412, "PreconditionFailed", .existing),
        AnswerCase(.putObject, 412, nil, .existing),
        AnswerCase(.putObject, 413, nil, .batch),
        AnswerCase(.putObject, 400, nil, .misconfigured),
        AnswerCase(.putObject, 405, "MethodNotAllowed", .misconfigured),
        AnswerCase(.putObject, 302, nil, .backingOff(.unreachable)).with { $0.requestID = nil },
        AnswerCase(.putObject, 401, nil, .backingOff(.unreachable)).with { $0.requestID = nil },
        AnswerCase(.listBucket, 302, nil, .backingOff(.unreachable)).with { $0.requestID = nil },
        AnswerCase(.putObject, 501, nil, .backingOff(.serverError)),
        AnswerCase(.getBucketLocation, 501, "NotImplemented", .advice),
    ]

    static let uploads: [AnswerCase] = [
        AnswerCase(.createMultipartUpload, 200, nil, .answered).with { $0.uploadID = "u" },
        AnswerCase(.createMultipartUpload, 200, nil, .backingOff(.serverError)),
        AnswerCase(.createMultipartUpload, 200, nil, .backingOff(.unreachable))
            .with { $0.requestID = nil },
        AnswerCase(.createMultipartUpload, 403, "AccessDenied", .eventType),
        AnswerCase(.createMultipartUpload, 404, "NoSuchBucket", .misconfigured),
        AnswerCase(.createMultipartUpload, 501, "NotImplemented", .misconfigured),
        AnswerCase(.createMultipartUpload, 400, "InvalidStorageClass", .misconfigured),
        AnswerCase(.createMultipartUpload, 503, "SlowDown", .backingOff(.throttled)),
        AnswerCase(.uploadPart, 200, nil, .answered).with { $0.entityTag = "\"1\"" },
        AnswerCase(.uploadPart, 200, nil, .backingOff(.serverError)),
        AnswerCase(.uploadPart, 200, nil, .backingOff(.unreachable)).with { $0.requestID = nil },
        AnswerCase(.uploadPart, 404, "NoSuchUpload", .startOver),
        AnswerCase(.uploadPart, 403, "AccessDenied", .eventType),
        AnswerCase(.uploadPart, 400, "BadDigest", .batch),
        AnswerCase(.uploadPart, 400, "ExpiredToken", .refresh),
        AnswerCase(.uploadPart, 500, "InternalError", .backingOff(.serverError)),
        AnswerCase(.uploadPart, 404, nil, .misconfigured),
        AnswerCase(.completeMultipartUpload, 200, nil, .delivered).with { $0.isCompletion = true },
        AnswerCase(.completeMultipartUpload, 200, nil, .backingOff(.serverError)),
        AnswerCase(.completeMultipartUpload, 200, nil, .backingOff(.unreachable))
            .with { $0.requestID = nil },
        AnswerCase(.completeMultipartUpload, 200, "InternalError", .backingOff(.serverError)),
        AnswerCase(.completeMultipartUpload, 200, "SlowDown", .backingOff(.throttled)),
        AnswerCase(.completeMultipartUpload, 200, "NoSuchUpload", .startOver),
        AnswerCase(.completeMultipartUpload, 200, "InvalidPart", .startOver),
        AnswerCase(.completeMultipartUpload, 200, "PreconditionFailed", .existing),
        AnswerCase(.completeMultipartUpload, 200, "ConditionalRequestConflict", .conflict),
        AnswerCase(.completeMultipartUpload, 404, "NoSuchUpload", .startOver),
        AnswerCase(.completeMultipartUpload, 400, "InvalidPart", .startOver),
        AnswerCase(.completeMultipartUpload, 400, "InvalidPartOrder", .startOver),
        AnswerCase(.completeMultipartUpload, 400, "EntityTooSmall", .startOver),
        AnswerCase(.completeMultipartUpload, 400, "EntityTooLarge", .batch),
        AnswerCase(.completeMultipartUpload, 412, "PreconditionFailed", .existing),
        AnswerCase(.completeMultipartUpload, 409, "ConditionalRequestConflict", .conflict),
        AnswerCase(.completeMultipartUpload, 403, "AccessDenied", .eventType),
        AnswerCase(.completeMultipartUpload, 500, "InvalidPart", .backingOff(.serverError)),
        AnswerCase(.abortMultipartUpload, 204, nil, .answered),
        AnswerCase(.abortMultipartUpload, 404, "NoSuchUpload", .missing),
        AnswerCase(.abortMultipartUpload, 403, "AccessDenied", .advice),
        AnswerCase(.abortMultipartUpload, 400, "InvalidRequest", .advice),
        AnswerCase(.abortMultipartUpload, 501, "NotImplemented", .advice),
        AnswerCase(.deleteObject, 204, nil, .answered),
        AnswerCase(.deleteObject, 200, nil, .backingOff(.unreachable)).with { $0.requestID = nil },
        AnswerCase(.deleteObject, 412, "PreconditionFailed", .existing),
        AnswerCase(.deleteObject, 404, "NoSuchKey", .missing),
        AnswerCase(.deleteObject, 409, "ConditionalRequestConflict", .conflict),
        AnswerCase(.deleteObject, 403, "AccessDenied", .advice),
        AnswerCase(.deleteObject, 501, "NotImplemented", .advice),
        AnswerCase(.putObject, 404, "NoSuchUpload", .misconfigured),
    ]

    static let everyAnswer: [AnswerCase] = table + uploads

    @Test("Every other answer means what the table says", arguments: everyAnswer)
    func others(example: AnswerCase) {
        let attempt = Attempt(example.operation, region: "here")
        #expect(Meaning(Disposition(of: attempt, answer: example.answer)) == example.meaning)
    }

    @Test(
        "A 403 without a document and a request ID comes from a proxy or portal",
        arguments: credentialCodes + otherCodes + [nil], Operation.allCases)
    func portals(code: String?, operation: Operation) {
        let answer = Answer(status: 403, code: code, requestID: nil)
        #expect(meaning(operation, answer) == .backingOff(.unreachable))
    }

    @Test(
        "No answer means backing off, unless we ended the exchange ourselves",
        arguments: TransportFailure.Kind.allCases, Operation.allCases)
    func transport(kind: TransportFailure.Kind, operation: Operation) {
        let answer = Answer(.failed(TransportFailure(kind: kind, curlCode: 1, text: "x")))
        #expect(
            meaning(operation, answer)
                == (kind == .aborted ? .aborted : .backingOff(.unreachable)))
    }

    @Test(
        "NotImplemented gives up the header it names, the checksum first, and nothing unsent",
        arguments: [
            ("If-None-Match", [.checksum, .conditionalWrites], .unsupported(.conditionalWrites)),
            ("x-amz-checksum-crc32", [.checksum, .conditionalWrites], .unsupported(.checksum)),
            (nil, [.checksum, .conditionalWrites], .unsupported(.checksum)),
            (nil, [.conditionalWrites], .unsupported(.conditionalWrites)),
            (nil, [], .misconfigured), ("If-None-Match", [.checksum], .misconfigured),
            ("x-amz-storage-class", [.checksum, .conditionalWrites], .misconfigured),
        ] as [(String?, Set<OptionalFeature>, Meaning)])
    func notImplemented(header: String?, sent: Set<OptionalFeature>, expected: Meaning) {
        var answer = Answer(status: 501, code: "NotImplemented", requestID: "1")
        answer.header = header
        let attempt = Attempt(.putObject, features: sent)
        #expect(Meaning(Disposition(of: attempt, answer: answer)) == expected)
    }

    @Test("A store that does not know If-Match with DeleteObject is asked without it from then on")
    func conditionalDeletes() {
        for header in ["If-Match", nil] {
            var answer = Answer(status: 501, code: "NotImplemented", requestID: "1")
            answer.header = header
            let attempt = Attempt(.deleteObject, features: [.conditionalDeletes])
            let meaning = Meaning(Disposition(of: attempt, answer: answer))
            #expect(meaning == .unsupported(.conditionalDeletes))
        }
    }

    @Test(
        "Only a listed code in a 4xx of S3 is a rejection, and only a 2xx without code a delivery",
        arguments: Operation.allCases)
    func totality(operation: Operation) {
        let codes = Self.credentialCodes + Self.batchCodes + Self.otherCodes + [nil]
        for status in 100...599 {
            for code in codes {
                for requestID in ["1", nil] {
                    let answer = Answer(status: status, code: code, requestID: requestID)
                    let meaning = meaning(operation, answer)
                    let listed = code.map { Self.credentialCodes.contains($0) } ?? false
                    let fromS3 = (400..<500).contains(status) && status != 407 && requestID != nil
                    let denied = code == "AccessDenied" && operation.delivers
                    let succeeded = (200..<300).contains(status) && code == nil
                    // What begins an upload, is a part of it or removes something proves that a store did it.
                    let answers =
                        !operation.delivers
                        && (operation != .deleteObject || requestID != nil || status == 204)
                    let ok =
                        (meaning == .connector) == (listed && fromS3)
                        && (meaning == .eventType) == (denied && fromS3)
                        && (meaning == .delivered)
                            == (succeeded && operation == .putObject && requestID != nil)
                        && (meaning == .answered) == (succeeded && answers)
                    #expect(ok, "\(status) \(code ?? "-") \(requestID ?? "-"): \(meaning)")
                    if !ok { return }
                }
            }
        }
    }

    @Test("A correction that was made already is not asked for again")
    func afterCorrection() {
        let cause = Cause(code: "X")
        let steps: [(Disposition, Disposition)] = [
            (.clock(server: Self.time, cause), .misconfigured(.refused(cause))),
            (.region("b", cause), .misconfigured(.refused(cause))),
            (.unsupported(.checksum, cause), .misconfigured(.refused(cause))),
            (.refreshCredentials(cause), .backingOff(.expired, cause, retryAfter: nil)),
            (.startOver(cause), .batchHeld(.refused(cause))),
            (.delivered, .delivered),
        ]
        for (first, then) in steps { #expect(first.afterCorrection == then) }
    }

    private func meaning(_ operation: Operation, _ answer: Answer) -> Meaning {
        Meaning(Disposition(of: Attempt(operation), answer: answer))
    }
}
