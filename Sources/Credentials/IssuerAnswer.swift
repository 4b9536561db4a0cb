internal import Curl
internal import Digest
internal import Encoding
internal import Model

/// What an issuer of credentials answered over HTTP.
struct IssuerAnswer {
    var response: HTTPResponse
    /// The body of a 2xx answer: it holds secrets. That of a refusal is in `response`.
    var secrets: SecretBuffer

    var status: Int { response.status }
    var isSuccess: Bool { (200..<300).contains(status) }
    /// The issuer's clock.
    var date: Timestamp? { response.header("date").flatMap(HTTPDate.timestamp) }

    /// Far above any session; more is none.
    static let longestBody = 64 << 10
}

extension Transport {
    /// Sends a request as a step of a fetch; the body of a good answer goes into memory that is cleansed.
    func ask(
        _ request: HTTPRequest, for fetch: Fetch,
        _ completion: @escaping (Result<IssuerAnswer, TransferFailure>) -> Void
    ) {
        let secrets = SecretBuffer(capacity: IssuerAnswer.longestBody)
        var request = request
        request.sink = { secrets.append($0) }
        request.mostForSink = IssuerAnswer.longestBody
        fetch.runs(
            start(request) { outcome in
                guard !fetch.isGivenUp else { return }
                completion(outcome.map { IssuerAnswer(response: $0, secrets: secrets) })
            })
    }
}

nonisolated extension Duration {
    /// From the moment of an answer to an expiry: by the issuer's clock where it tells the time.
    init(until expiry: Timestamp, date: Timestamp?, now: Timestamp) {
        self = .seconds(expiry.unixSeconds - (date ?? now).unixSeconds)
    }
}
