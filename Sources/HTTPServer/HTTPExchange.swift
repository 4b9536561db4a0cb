/// A request and the duty to answer it: at once, or as much later as it takes.
///
/// Whoever lets go of it without an answer has the client told so with a 500, so nobody waits for ever.
@MainActor
public final class HTTPExchange {
    public let request: HTTPRequest
    private var deliver: ((HTTPResponse) -> Void)?

    init(_ request: HTTPRequest, deliver: @escaping (HTTPResponse) -> Void) {
        self.request = request
        self.deliver = deliver
    }

    /// Answers; only the first answer counts. A client that has gone meanwhile makes no difference.
    public func answer(_ response: HTTPResponse) {
        guard let deliver else { return }
        self.deliver = nil
        deliver(response)
    }

    isolated deinit {
        answer(.text("the request was dropped unanswered", status: 500))
    }
}
