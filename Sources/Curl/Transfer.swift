internal import CCurl
internal import Dispatch

/// One request on its way: collects the answer, and gives the outcome exactly once.
public final class Transfer {
    enum Stage {
        /// Waits for its turn; libcurl does not know of it.
        case queued
        case running(EasyHandle)
        case ended
    }

    let request: HTTPRequest
    let origin: String
    var stage = Stage.queued
    let feed: BodyFeed?
    /// When to give up waiting for the answer.
    private(set) var answerDeadline: DispatchTime?

    private weak var transport: Transport?
    private var completion: ((TransferOutcome) -> Void)?
    private var began = false
    private var response = HTTPResponse(status: 0)
    private var headBytes = 0
    /// Whether the last head came to its end: libcurl takes the end of a connection for one.
    private var headIsWhole = false
    private var bodyBytes = 0
    private var bodyIsTooLong = false

    init(
        _ request: HTTPRequest, transport: Transport,
        completion: @escaping (TransferOutcome) -> Void
    ) {
        self.request = request
        self.transport = transport
        self.completion = completion
        origin = request.origin
        feed = request.body.map(BodyFeed.init)
        feed?.resume = { [weak self] in
            if let self { self.transport?.chunkArrived(for: self) }
        }
    }

    /// Gives the transfer up; its outcome is `cancelled`, soon, unless it has another already.
    public func cancel() {
        transport?.cancel(self)
    }

    /// Hands out the outcome, once.
    func end(_ outcome: TransferOutcome) {
        stage = .ended
        let completion = completion
        self.completion = nil
        completion?(outcome)
    }

    // MARK: What libcurl reports

    /// The connection stands, and the request is about to be written; perhaps for a second time.
    func requestBegins() {
        began = true
        answerDeadline = nil
        if feed == nil || feed?.isAtEnd == true { startWaiting() }
        feed?.askAhead()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let feed else { return 0 }
        switch feed.read(into: buffer) {
        case .bytes(let count):
            if feed.isAtEnd, answerDeadline == nil { startWaiting() }
            return count
        case .pause: return Int(CURL_READFUNC_PAUSE)
        case .failed: return Int(CURL_READFUNC_ABORT)
        }
    }

    func rewind(to offset: Int64) {
        answerDeadline = nil
        feed?.rewind(to: offset)
    }

    /// Takes one line of a head; anything but its size ends the transfer.
    func takeHead(_ line: UnsafeRawBufferPointer) -> Int {
        headBytes += line.count
        guard headBytes <= HTTPResponse.longestHead else { return 0 }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            // Each head replaces the one before: "100 Continue" comes ahead of the answer.
            response.headers = []
            headIsWhole = false
        } else if let colon = text.firstIndex(of: ":") {
            let value = text[text.index(after: colon)...]
            response.headers.append(HeaderField(String(text[..<colon]), trimmed(value)))
        } else if text.utf8.allSatisfy({ $0 == 13 || $0 == 10 }) {
            headIsWhole = true
            if streamsBody { answerDeadline = nil }
        }
        return line.count
    }

    /// Takes bytes of the answer's body; anything but their count ends the transfer.
    func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        bodyBytes += bytes.count
        if streamsBody, let sink = request.sink {
            sink(bytes)
            bodyIsTooLong = bodyBytes > request.mostForSink
            return bodyIsTooLong ? 0 : bytes.count
        }
        let room = HTTPResponse.keptBody - response.body.count
        response.body.append(contentsOf: bytes.prefix(room))
        response.isTruncated = bytes.count > room || response.isTruncated
        bodyIsTooLong = bodyBytes > HTTPResponse.longestBody
        return bodyIsTooLong ? 0 : bytes.count
    }

    // MARK: How it ends

    func finished(_ code: CURLcode, _ handle: EasyHandle) -> TransferOutcome {
        response.status = handle.status()
        response.followsLostAnswer = feed?.wasSentBefore ?? false
        if bodyIsTooLong { return .success(response) }
        if code == CURLE_OK {
            guard !headIsWhole else { return .success(response) }
            let text = "the connection ended within the head of the answer"
            return .failure(failure(.curl(Int32(CURLE_PARTIAL_FILE.rawValue)), text))
        }
        let proxyStatus = handle.status(CURLINFO_HTTP_CONNECTCODE)
        if let unreadable = feed?.failure {
            return .failure(failure(.body, unreadable.text))
        }
        if code == CURLE_OPERATION_TIMEDOUT, feed?.isPaused == true {
            return .failure(failure(.body, "the next bytes to send were not read in time"))
        }
        return .failure(
            failure(
                .curl(Int32(code.rawValue)), text(code, handle),
                proxyStatus: proxyStatus == 0 || proxyStatus / 100 == 2 ? nil : proxyStatus))
    }

    private func text(_ code: CURLcode, _ handle: EasyHandle) -> String {
        // libcurl knows neither our limit nor, by name, its own: 100 KiB for a line of a head.
        let isTooLong = headBytes > HTTPResponse.longestHead || code == CURLE_OUT_OF_MEMORY
        return isTooLong ? "the head of the answer is too long" : handle.message(for: code)
    }

    func failure(
        _ cause: TransferFailure.Cause, _ text: String, proxyStatus: Int? = nil
    ) -> TransferFailure {
        let sent: TransferFailure.Sent =
            !began ? .nothing : feed?.wasHandedOver ?? true ? .perhapsAll : .part
        return TransferFailure(cause: cause, text: text, sent: sent, proxyStatus: proxyStatus)
    }

    private var streamsBody: Bool {
        guard request.sink != nil, case .running(let handle) = stage else { return false }
        return handle.status() / 100 == 2
    }

    private func startWaiting() {
        answerDeadline = .now() + .milliseconds(request.options.answerTimeout.milliseconds)
    }

    private func trimmed(_ text: Substring) -> String {
        let blanks: Set<Character> = [" ", "\t", "\r", "\n", "\r\n"]
        var text = text
        while let first = text.first, blanks.contains(first) { text.removeFirst() }
        while let last = text.last, blanks.contains(last) { text.removeLast() }
        return String(text)
    }
}
