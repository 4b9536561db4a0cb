internal import CCurl
internal import Dispatch

/// All HTTP of the process: one libcurl multi handle, driven by the main queue.
///
/// Sockets are watched through one `Poller`, time by one timer that is armed only while libcurl or an
/// answer's deadline needs it: an idle transport never wakes up. Callbacks never call libcurl; what they
/// ask for is kept, and done in `settle` once libcurl has returned. Completions run from there too,
/// never from inside of `start` or `cancel`.
///
/// It lives until `shutDown`, and must be shut down before it is let go.
@MainActor
public final class Transport {
    /// How many transfers run at a time, hence how many connections there are; the rest waits its turn.
    public nonisolated struct Limits: Sendable {
        public var total = 32
        public var perOrigin = 8
        /// How many more there may be, each the only one to its origin.
        public var reserve = 96

        public init(total: Int = 32, perOrigin: Int = 8, reserve: Int = 96) {
            self.total = total
            self.perOrigin = perOrigin
            self.reserve = reserve
        }

        var connections: Int { total + reserve }
    }

    private let multi: UnsafeMutableRawPointer
    private lazy var poller = Poller { [weak self] in self?.socketsAreReady($0) }
    private let timer: any DispatchSourceTimer
    private var queue: AdmissionQueue<Transfer>
    private var running: [UnsafeMutableRawPointer: Transfer] = [:]
    /// Handles between two transfers; never more than may run at a time.
    private var pool: [EasyHandle] = []

    // What is to be done once libcurl has returned.
    private var resuming: [Transfer] = []
    private var cancelling: [Transfer] = []
    private var refused: [(transfer: Transfer, failure: TransferFailure)] = []
    private var isSettling = false
    private var willSettle = false
    private var isShutDown = false

    /// When libcurl wants to be called; nil for never.
    private var curlDeadline: DispatchTime?
    /// When the timer fires; nil for never.
    private(set) var armed: DispatchTime?

    public init(limits: Limits = Limits()) {
        CurlLibrary.prepare()
        guard let multi = curl_multi_init() else {
            preconditionFailure("out of memory for libcurl")
        }
        self.multi = multi
        queue = AdmissionQueue(
            total: limits.total, perOrigin: limits.perOrigin, reserve: limits.reserve)
        timer = DispatchSource.makeTimerSource(queue: .main)
        timer.setEventHandler { [weak self] in self?.timeHasCome() }
        timer.activate()
        set(CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        set(CURLMOPT_MAX_TOTAL_CONNECTIONS, limits.connections)
        // All of them: to libcurl, everything behind one proxy is one host. The queue counts origins.
        set(CURLMOPT_MAX_HOST_CONNECTIONS, limits.connections)
        set(CURLMOPT_MAXCONNECTS, limits.connections)
        // Unretained: shutDown takes the multi handle down before self can go.
        let owner = Unmanaged.passUnretained(self).toOpaque()
        check(sluice_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, owner))
        check(sluice_multi_set_pointer(multi, CURLMOPT_TIMERDATA, owner))
        check(sluice_multi_set_socket(multi, Callbacks.socket))
        check(sluice_multi_set_timer(multi, Callbacks.timer))
    }

    isolated deinit {
        precondition(isShutDown, "a transport was let go before it was shut down")
    }

    /// Sends a request as soon as the limits allow; the outcome comes later, exactly once.
    @discardableResult
    public func start(
        _ request: HTTPRequest, completion: @escaping (TransferOutcome) -> Void
    ) -> Transfer {
        precondition(!isShutDown, "a transfer was started after the transport was shut down")
        let transfer = Transfer(request, transport: self, completion: completion)
        if let bad = request.headers.first(where: { !$0.isWellFormed }) {
            let text = "the header field \"\(bad.name)\" is not well-formed"
            refused.append((transfer, transfer.failure(.request, text)))
        } else {
            queue.add(transfer, origin: transfer.origin)
        }
        settleSoon()
        return transfer
    }

    /// How many transfers run, and how many wait for their turn.
    public var load: (running: Int, waiting: Int) { (queue.runningCount, queue.waitingCount) }

    /// Cancels what is left and frees everything, without waiting for anything.
    public func shutDown() {
        precondition(!isSettling, "shut down from inside of a completion")
        guard !isShutDown else { return }
        isShutDown = true
        let left = Array(running.values) + queue.removeWaiting { _ in true }
        for pointer in running.keys { curl_multi_remove_handle(multi, pointer) }
        curl_multi_cleanup(multi)
        poller.stop()
        timer.cancel()
        (running, pool) = ([:], [])
        for transfer in left { transfer.end(.failure(transfer.failure(.cancelled, "cancelled"))) }
    }

    // MARK: What transfers ask for

    func cancel(_ transfer: Transfer) {
        cancelling.append(transfer)
        settleSoon()
    }

    func chunkArrived(for transfer: Transfer) {
        resuming.append(transfer)
        settleSoon()
    }

    // MARK: What libcurl asks for, from inside of a call to it

    func watch(_ socket: Int32, _ what: Int32) {
        poller.watch(socket, what)
    }

    func wake(afterMilliseconds milliseconds: Int) {
        curlDeadline = milliseconds < 0 ? nil : .now() + .milliseconds(milliseconds)
    }

    // MARK: The loop

    private func socketsAreReady(_ ready: [Poller.Ready]) {
        guard !isShutDown else { return }
        for socket in ready {
            var still: Int32 = 0
            check(curl_multi_socket_action(multi, socket.descriptor, socket.events, &still))
        }
        settle()
    }

    private func timeHasCome() {
        armed = nil
        settle()
    }

    /// Settles when the caller, who may be a completion or in the middle of something, has returned.
    private func settleSoon() {
        guard !isSettling, !willSettle else { return }
        willSettle = true
        DispatchQueue.main.async { [weak self] in
            self?.willSettle = false
            self?.settle()
        }
    }

    /// Does what was asked for, until nothing is left to do now; then arms the timer.
    private func settle() {
        guard !isShutDown else { return }
        isSettling = true
        repeat {
            cancelWhatIsUnwanted()
            resumeWhatHasChunks()
            startWhatMayRun()
            callWhenDue()
            endWhatIsDone()
        } while !cancelling.isEmpty || !resuming.isEmpty || !refused.isEmpty
            || queue.mayStart || isDue(curlDeadline)
        isSettling = false
        arm()
    }

    private func cancelWhatIsUnwanted() {
        for transfer in take(&cancelling) {
            switch transfer.stage {
            case .queued: _ = queue.removeWaiting { $0 === transfer }
            case .running(let handle): release(handle, of: transfer)
            case .ended: continue
            }
            transfer.end(.failure(transfer.failure(.cancelled, "cancelled")))
        }
        for (transfer, failure) in take(&refused) { transfer.end(.failure(failure)) }
    }

    private func resumeWhatHasChunks() {
        for transfer in take(&resuming) {
            guard case .running(let handle) = transfer.stage, transfer.feed?.isPaused == true else {
                continue
            }
            transfer.feed?.resumed()
            // A failure shows as the end of the transfer.
            _ = curl_easy_pause(handle.pointer, CURLPAUSE_CONT)
        }
    }

    private func startWhatMayRun() {
        while let transfer = queue.next() {
            let handle = pool.popLast() ?? EasyHandle()
            transfer.stage = .running(handle)
            running[handle.pointer] = transfer
            // Unretained: `running` keeps the transfer until its handle has left the multi handle.
            let owner = Unmanaged.passUnretained(transfer).toOpaque()
            handle.prepare(transfer.request, owner: owner)
            check(curl_multi_add_handle(multi, handle.pointer))
        }
    }

    private func callWhenDue() {
        guard isDue(curlDeadline) else { return }
        curlDeadline = nil
        var still: Int32 = 0
        check(sluice_multi_timed_out(multi, &still))
        guard curlDeadline == nil else { return }
        // libcurl reports its next deadline only when that is another than it reported last.
        var milliseconds = 0
        check(curl_multi_timeout(multi, &milliseconds))
        wake(afterMilliseconds: milliseconds)
    }

    private func endWhatIsDone() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let pointer = message.pointee.easy_handle,
                let transfer = running[pointer], case .running(let handle) = transfer.stage
            else { preconditionFailure("libcurl speaks of a transfer that does not run") }
            let outcome = transfer.finished(message.pointee.data.result, handle)
            release(handle, of: transfer)
            transfer.end(outcome)
        }
        for transfer in running.values where isDue(transfer.answerDeadline) {
            guard case .running(let handle) = transfer.stage else { continue }
            let seconds = transfer.request.options.answerTimeout.wholeSeconds
            release(handle, of: transfer)
            let text = "no answer within \(seconds) s after the request was sent"
            transfer.end(.failure(transfer.failure(.answerTimeout, text)))
        }
    }

    /// Takes a handle out of libcurl and keeps it for the next transfer.
    private func release(_ handle: EasyHandle, of transfer: Transfer) {
        check(curl_multi_remove_handle(multi, handle.pointer))
        running[handle.pointer] = nil
        queue.ended(origin: transfer.origin)
        handle.reset()
        pool.append(handle)
    }

    private func arm() {
        let answer = running.values.compactMap(\.answerDeadline).min()
        let next = [curlDeadline, answer].compactMap(\.self).min()
        guard next != armed else { return }
        armed = next
        timer.schedule(deadline: next ?? .distantFuture, leeway: .milliseconds(1))
    }

    private func isDue(_ deadline: DispatchTime?) -> Bool {
        deadline.map { $0 <= .now() } ?? false
    }

    private func take<Element>(_ list: inout [Element]) -> [Element] {
        defer { list = [] }
        return list
    }

    private func set(_ option: CURLMoption, _ value: Int) {
        check(sluice_multi_set_long(multi, option, value))
    }

    /// An error of the multi interface is a wrong use of it, or the end of memory.
    private func check(_ code: CURLMcode) {
        precondition(code == CURLM_OK, "libcurl: \(String(cString: curl_multi_strerror(code)))")
    }
}
