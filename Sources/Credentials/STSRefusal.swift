internal import Curl
internal import Delivery
internal import Encoding
internal import Model

/// What it means that STS did not give a session.
///
/// Its `<Code>` decides. Only a listed code, in a 4xx with a request ID, is a denial: proxies answer 403
/// as well, and what is denied for long can cost events. An unknown refusal needs a person.
///
/// Source: "Common Errors", and the errors of AssumeRole and AssumeRoleWithWebIdentity, AWS STS API Reference.
nonisolated struct STSRefusal: Equatable {
    var status: Int
    var code: String?
    var message: String?
    var requestID: String?
    var date: Timestamp?
    /// Who was asked.
    var host: String

    static let denials: Set<String> = [
        "AccessDenied", "AccessDeniedException", "InvalidClientTokenId", "SignatureDoesNotMatch",
        "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidIdentityToken",
        "IDPRejectedClaim", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
        "UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken", "NotSignedUp",
        "OptInRequired",
    ]
    static let passing: Set<String> = [
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
        "RequestLimitExceeded", "TooManyRequestsException", "SlowDown", "IDPCommunicationError",
        "InternalFailure", "InternalError", "ServiceUnavailable", "RequestTimeout",
    ]

    var meaning: CredentialsUnavailable {
        guard let code, let requestID, (400..<500).contains(status) else {
            return .unreachable(
                "\(host) answered with HTTP \(status)\(code.map { " (\($0))" } ?? "")")
        }
        if status == 429 || status == 408 || Self.passing.contains(code) {
            return .unreachable("\(host) answered with \(code)\(said)")
        }
        if Self.denials.contains(code) {
            return .denied(
                Cause(
                    code: code, message: message, requestID: requestID, date: date,
                    issuer: "STS"))
        }
        return .misconfigured("\(host) refuses to give a session: \(code)\(said)")
    }

    private var said: String { message.map { ": \($0)" } ?? "" }

    /// Whether the duration that was asked for is more than this role gives.
    ///
    /// STS has no code of its own for it: a role's maximum, and the hour of a role that assumes another,
    /// are a ValidationError like any other wrong value.
    var concernsDuration: Bool {
        guard code == "ValidationError", let message else { return false }
        return ["DurationSeconds", "MaxSessionDuration", "durationSeconds"].contains {
            message.utf8.firstRange(of: $0.utf8) != nil
        }
    }
}

extension STSRefusal {
    init(_ answer: IssuerAnswer, host: String) {
        let document = ResponseDocument(answer.response.body)
        self.init(
            status: answer.status, code: document?.code, message: document?.message,
            requestID: ResponseDocument.requestID(answer.response.header("x-amzn-requestid"))
                ?? document?.requestID,
            date: answer.date, host: host)
    }
}
