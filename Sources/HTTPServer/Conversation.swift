internal import CMicrohttpd
internal import Dispatch
internal import Glibc

/// One request on its way through the HTTP library, from its header to its answer.
///
/// The library owns it, as the request's context, from the header until it says the request is over.
final class Conversation {
    enum State {
        /// The body is being read. Can transition to: `asked`.
        case reading
        /// The handler runs. Can transition to: `answered`, `suspended`.
        case asked
        /// The answer comes later; the library leaves the connection alone. Can transition to: `answered`,
        /// `abandoned`.
        case suspended
        /// Can transition to: nothing; the library takes the answer when it calls next.
        case answered(HTTPResponse)
        /// The client has gone.
        case abandoned
    }

    private(set) var state = State.reading
    private let connection: OpaquePointer
    private let method: HTTPRequest.Method
    private let path: String
    private let wake: () -> Void
    private var body: [UInt8] = []
    private var hangup: (any DispatchSourceRead)?

    /// - Parameter wake: makes the library run soon: a resumed connection does not see to it by itself.
    init(
        _ connection: OpaquePointer, method: HTTPRequest.Method, path: String,
        wake: @escaping () -> Void
    ) {
        self.wake = wake
        self.connection = connection
        self.method = method
        self.path = path
    }

    /// Says whether the body is still within `limit`.
    func append(_ part: UnsafeRawBufferPointer, limit: Int) -> Bool {
        guard body.count + part.count <= limit else { return false }
        body.append(contentsOf: part)
        return true
    }

    /// Asks `handler`; afterwards the conversation is `answered` or `suspended`.
    func ask(_ handler: (HTTPExchange) -> Void) {
        state = .asked
        let request = HTTPRequest(
            method: method, path: path, query: LibraryCalls.query(of: connection), body: body,
            host: LibraryCalls.header("Host", of: connection))
        body = []
        // The exchange may outlive the connection, so it must not keep the conversation alive.
        handler(
            HTTPExchange(request, isWaiting: { [weak self] in self?.isWaiting ?? false }) {
                [weak self] response in self?.answer(response)
            })
        guard case .asked = state else { return }
        state = .suspended
        MHD_suspend_connection(connection)
        watchForHangup()
    }

    private var isWaiting: Bool {
        switch state {
        case .asked, .suspended: true
        case .reading, .answered, .abandoned: false
        }
    }

    func answer(_ response: HTTPResponse) {
        switch state {
        case .asked:
            state = .answered(response)
        case .suspended:
            state = .answered(response)
            resume()
        case .reading, .answered, .abandoned:
            break
        }
    }

    /// The request is over for the library, which may free the connection now.
    func end() {
        state = .abandoned
        hangup?.cancel()
        hangup = nil
    }

    private func resume() {
        hangup?.cancel()
        hangup = nil
        MHD_resume_connection(connection)
        wake()
    }

    /// Frees the place of a client that does not wait for its answer.
    ///
    /// The library does not look at suspended connections, and the number of connections is limited: people
    /// who give up on a long `drain` must not lock everybody out.
    private func watchForHangup() {
        // A descriptor of our own, because the library may close its one before the source is cancelled.
        let theirs = sluice_mhd_connection_descriptor(connection)
        let descriptor = fcntl(theirs, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .main)
        source.setEventHandler { [weak self] in self?.clientStirred(descriptor) }
        source.setCancelHandler { close(descriptor) }
        hangup = source
        source.activate()
    }

    private func clientStirred(_ descriptor: Int32) {
        guard case .suspended = state else { return }
        var byte: UInt8 = 0
        // Another request may have come: that is no end, and there is nothing more to watch for.
        if recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0 {
            hangup?.cancel()
            return
        }
        state = .abandoned
        resume()
    }
}
