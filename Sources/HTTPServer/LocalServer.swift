internal import CMicrohttpd
internal import Dispatch
internal import Glibc

/// A small HTTP server on the main queue, for status and control on this machine.
///
/// libmicrohttpd does the protocol and has no thread: all its descriptors are in one epoll descriptor, which
/// one dispatch source watches. A timer is armed only while a connection waits, so an idle server wakes
/// nobody. Requests are answered by `GET` and `POST` only; other methods get 405.
@MainActor
public final class LocalServer {
    /// A longer body is refused with 413, or, where it comes in chunks, by closing the connection.
    public nonisolated static let bodyLimit = 65_536
    /// Clients past this number wait to be accepted until another one leaves.
    public nonisolated static let connectionLimit = 32
    /// A client that neither sends nor takes a byte for so long loses its connection. One that waits for
    /// a late answer does not.
    public nonisolated static let silenceLimit = Duration.seconds(10)

    private let handler: (HTTPExchange) -> Void
    private let socket: ListeningSocket
    private var library: OpaquePointer?
    private var readable: (any DispatchSourceRead)?
    private var timer: (any DispatchSourceTimer)?
    private var conversations: [ObjectIdentifier: Conversation] = [:]
    private var watch = ConnectionWatch<OpaquePointer>()
    private let connectionLimit: Int
    private var isFull: Bool { watch.count >= connectionLimit }

    /// - Parameter handler: is called on the main actor once for each request, complete with its body, and
    ///   must not call `stop`.
    public init(
        on endpoint: LocalEndpoint, connectionLimit: Int = LocalServer.connectionLimit,
        silenceLimit: Duration = LocalServer.silenceLimit,
        handler: @escaping (HTTPExchange) -> Void
    ) throws(ListenError) {
        self.handler = handler
        self.connectionLimit = connectionLimit
        socket = try ListeningSocket.open(endpoint)
        // Unretained: the library calls back only from `run` and `stop`, while self is alive.
        let context = Unmanaged.passUnretained(self).toOpaque()
        library = sluice_mhd_start(
            socket.descriptor, libraryHasNews, libraryIsDone, libraryCountsConnections,
            context, UInt32(clamping: connectionLimit),
            UInt32(clamping: silenceLimit.components.seconds))
        // A descriptor of our own, because the library closes its one before the source is cancelled.
        let descriptor = library.map { fcntl(sluice_mhd_epoll_descriptor($0), F_DUPFD_CLOEXEC, 0) }
        guard let descriptor, descriptor >= 0 else {
            stop()
            throw .library
        }
        observe(descriptor)
    }

    private func observe(_ descriptor: Int32) {
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .main)
        source.setEventHandler { [weak self] in self?.run() }
        source.setCancelHandler { close(descriptor) }
        readable = source
        source.activate()
        let timer = DispatchSource.makeTimerSource(queue: .main)
        timer.setEventHandler { [weak self] in self?.run() }
        timer.schedule(deadline: .distantFuture)
        self.timer = timer
        timer.activate()
    }

    /// Answers what still waits with 503, closes all connections and removes the socket's name.
    public func stop() {
        socket.unlinkName()
        readable?.cancel()
        readable = nil
        timer?.cancel()
        timer = nil
        guard let library else { return }
        let stopping = HTTPResponse.text("the daemon is stopping", status: 503)
        // The library insists that no connection is suspended when it stops.
        for conversation in conversations.values { conversation.answer(stopping) }
        MHD_run(library)
        MHD_stop_daemon(library)
        self.library = nil
    }

    isolated deinit { stop() }

    /// Does what there is to do now; the loop calls it whenever there is something.
    func run() {
        guard let library else { return }
        // The library then finds that they have ended.
        for connection in watch.overdue(at: Self.now(), isFull: isFull) {
            shutdown(sluice_mhd_connection_descriptor(connection), Int32(SHUT_RDWR))
            watch.closed(connection)
        }
        // Places of clients that leave in one run are given to those who wait only in the next.
        var before: UInt32
        repeat {
            before = sluice_mhd_connections(library)
            MHD_run(library)
        } while sluice_mhd_connections(library) < before
        arm(library)
    }

    /// Sees to the next run: the library's descriptor tells of news, but not of clients that keep silent.
    private func arm(_ library: OpaquePointer) {
        var milliseconds: CUnsignedLongLong = 0
        let isTimed = MHD_get_timeout(library, &milliseconds) == .YES
        let deadlines = [
            isTimed ? .milliseconds(Int64(clamping: milliseconds)) : nil,
            watch.nextDeadline(isFull: isFull).map { max(.zero, $0 - Self.now()) },
        ]
        guard let next = deadlines.compactMap(\.self).min() else {
            timer?.schedule(deadline: .distantFuture)
            return
        }
        let (seconds, attoseconds) = next.components
        timer?.schedule(
            deadline: .now()
                + .milliseconds(Int(seconds * 1000 + attoseconds / 1_000_000_000_000_000)),
            leeway: .milliseconds(next == .zero ? 0 : 100))
    }

    /// A clock that never goes back.
    private static func now() -> Duration {
        .nanoseconds(Int64(clamping: DispatchTime.now().uptimeNanoseconds))
    }

    private func runSoon() {
        DispatchQueue.main.async { [weak self] in self?.run() }
    }

    // MARK: - What the library calls

    func opened(_ connection: OpaquePointer) { watch.opened(connection, at: Self.now()) }

    func closed(_ connection: OpaquePointer) { watch.closed(connection) }

    private func queue(_ response: HTTPResponse, on connection: OpaquePointer) -> MHD_Result {
        watch.answered(connection, at: Self.now())
        return LibraryCalls.queue(response, on: connection)
    }

    func begin(
        _ connection: OpaquePointer, method: String, path: String,
        context: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    ) -> MHD_Result {
        guard let known = HTTPRequest.Method(rawValue: method) else {
            let refusal = HTTPResponse.text("only GET and POST are answered here", status: 405)
            return queue(refusal, on: connection)
        }
        let length = LibraryCalls.header("Content-Length", of: connection).flatMap { Int($0) }
        if let length, length > LocalServer.bodyLimit {
            let limit = LocalServer.bodyLimit
            let refusal = HTTPResponse.text("the body is longer than \(limit) bytes", status: 413)
            return queue(refusal, on: connection)
        }
        let conversation = Conversation(connection, method: known, path: path) { [weak self] in
            self?.runSoon()
        }
        conversations[ObjectIdentifier(conversation)] = conversation
        // Unretained: `conversations` keeps it until `end`.
        context.pointee = Unmanaged.passUnretained(conversation).toOpaque()
        return .YES
    }

    func go(
        on conversation: Conversation, _ connection: OpaquePointer, part: UnsafeRawBufferPointer
    ) -> MHD_Result {
        if !part.isEmpty {
            return conversation.append(part, limit: LocalServer.bodyLimit) ? .YES : .NO
        }
        if case .reading = conversation.state {
            watch.asked(connection)
            conversation.ask(handler)
        }
        switch conversation.state {
        case .answered(let response): return queue(response, on: connection)
        case .suspended: return .YES
        case .reading, .asked, .abandoned: return .NO
        }
    }

    func end(_ conversation: Conversation, _ connection: OpaquePointer) {
        watch.ended(connection, at: Self.now())
        conversation.end()
        conversations[ObjectIdentifier(conversation)] = nil
    }
}
