/// A request and the duty to answer it: at once, or as much later as it takes.
///
/// Whoever lets go of it without an answer has the client told so with a 500, so nobody waits for ever.
@MainActor
public final class HTTPExchange {
    public let request: HTTPRequest
    private var deliver: ((HTTPResponse) -> Void)?
    private let isWaiting: () -> Bool

    /// - Parameter isWaiting: whether anybody still waits for the answer.
    init(
        _ request: HTTPRequest, isWaiting: @escaping () -> Bool = { true },
        deliver: @escaping (HTTPResponse) -> Void
    ) {
        self.request = request
        self.isWaiting = isWaiting
        self.deliver = deliver
    }

    /// Answers; only the first answer counts. A client that has gone meanwhile makes no difference.
    public func answer(_ response: HTTPResponse) {
        guard let deliver else { return }
        self.deliver = nil
        deliver(response)
    }

    /// The client has gone, or has its answer: nothing more needs to be done for it.
    public var isAbandoned: Bool { deliver == nil || !isWaiting() }

    isolated deinit {
        answer(.text("the request was dropped unanswered", status: 500))
    }
}
