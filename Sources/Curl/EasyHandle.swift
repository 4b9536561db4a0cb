internal import CCurl
internal import Digest

/// Owns one `CURL *` and what must live as long as its transfer: the header list and the error text.
///
/// Setting an option fails only where memory is short or libcurl was built without it; both stop the
/// program, for a transfer that silently verified nothing would be worse.
@MainActor
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private var list: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutableBufferPointer<CChar>

    init() {
        guard let pointer = curl_easy_init() else {
            preconditionFailure("out of memory for libcurl")
        }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0)
    }

    isolated deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(list)
        errorText.deallocate()
    }

    /// Forgets the last request; connections and names that were resolved stay in the multi handle.
    func reset() {
        curl_easy_reset(pointer)
        curl_slist_free_all(list)
        list = nil
        errorText[0] = 0
    }

    /// The text of the last failure.
    func message(for code: CURLcode) -> String {
        guard let base = errorText.baseAddress, base[0] != 0 else {
            return String(cString: curl_easy_strerror(code))
        }
        return String(cString: base)
    }

    func status(_ info: CURLINFO = CURLINFO_RESPONSE_CODE) -> Int {
        var value = 0
        _ = sluice_get_long(pointer, info, &value)
        return value
    }

    /// Sets everything that the request says.
    func prepare(_ request: HTTPRequest, owner: UnsafeMutableRawPointer) {
        set(CURLOPT_ERRORBUFFER, pointer: errorText.baseAddress)
        set(CURLOPT_URL, request.url)
        set(CURLOPT_PATH_AS_IS, 1)
        // S3 speaks HTTP/1.1 only, and one transfer a connection keeps transfers apart from each other.
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        // A redirect would carry the signed headers to whoever it names; S3's are read from the answer.
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_NOSIGNAL, 1)
        // A resolver thread that hangs is left behind: neither cancelling nor stopping waits for it.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_USERAGENT, request.options.userAgent)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        setLimits(request.options)
        setTrust(request.options)
        setWay(request.options)
        setMethod(request)
        setHeaders(request)
        setCallbacks(owner)
    }

    private func setLimits(_ options: TransferOptions) {
        set(CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeout.milliseconds)
        set(CURLOPT_LOW_SPEED_LIMIT, options.idleLimit)
        set(CURLOPT_LOW_SPEED_TIME, options.idleTimeout.wholeSeconds)
        // How long to wait for "100 Continue" before the body is sent anyway.
        set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1000)
    }

    private func setTrust(_ options: TransferOptions) {
        let oldest = CURL_SSLVERSION_TLSv1_2
        set(CURLOPT_SSLVERSION, oldest)
        set(CURLOPT_PROXY_SSLVERSION, oldest)
        for peer in [CURLOPT_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYPEER] { set(peer, 1) }
        for host in [CURLOPT_SSL_VERIFYHOST, CURLOPT_PROXY_SSL_VERIFYHOST] { set(host, 2) }
        // An answer may be a session.
        check(sluice_set_cleansing_tls(pointer), CURLOPT_SSL_CTX_FUNCTION)
        guard let caFile = options.caFile else { return }
        set(CURLOPT_CAINFO, caFile)
        set(CURLOPT_PROXY_CAINFO, caFile)
        // The system's directory of certificates would be trusted besides the file.
        set(CURLOPT_CAPATH, nil)
        set(CURLOPT_PROXY_CAPATH, nil)
    }

    private func setWay(_ options: TransferOptions) {
        if let path = options.unixSocket { set(CURLOPT_UNIX_SOCKET_PATH, path) }
        switch options.unixSocket == nil ? options.proxy : .none {
        case .environment:
            break
        case .url(let url):
            set(CURLOPT_PROXY, url)
            // An empty list: NO_PROXY of the environment is not asked.
            set(CURLOPT_NOPROXY, "")
        case .none:
            set(CURLOPT_PROXY, "")
        }
    }

    private func setMethod(_ request: HTTPRequest) {
        if let body = request.secretBody { return setForm(body, request) }
        switch request.method {
        case .get: set(CURLOPT_HTTPGET, 1)
        case .head: set(CURLOPT_NOBODY, 1)
        case .put, .post, .delete: set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
        let carriesBody = request.method == .put || request.method == .post
        let length = request.body?.length ?? (carriesBody ? 0 : nil)
        if let length, length > 0 {
            // What is handed to the kernel at once; libcurl's own 64 KiB are many calls for a large body.
            set(CURLOPT_UPLOAD_BUFFERSIZE, BodyFeed.chunk(of: length) / 2)
        }
        if let length {
            set(CURLOPT_UPLOAD, 1)
            let size = CURLOPT_INFILESIZE_LARGE
            check(sluice_set_offset(pointer, size, length), size)
        }
    }

    /// Lets libcurl copy a body, into memory that it cleanses, and send it by itself.
    private func setForm(_ body: Secret, _ request: HTTPRequest) {
        precondition(request.method == .post && request.body == nil)
        let size = CURLOPT_POSTFIELDSIZE_LARGE
        check(sluice_set_offset(pointer, size, Int64(body.count)), size)
        let form = CURLOPT_COPYPOSTFIELDS
        body.withUnsafeBytes { check(sluice_set_bytes(pointer, form, $0.baseAddress), form) }
    }

    /// The least body that is announced and held back until the server says "100 Continue".
    ///
    /// For a large body the round trip pays: a redirect or a refusal arrives whole, instead of being lost
    /// in the reset that ends an upload which the server does not want. For a small one it only costs.
    private static let leastExpected: Int64 = 1 << 20

    private func setHeaders(_ request: HTTPRequest) {
        for header in request.headers { header.withLine(appendLine) }
        if (request.body?.length ?? 0) < Self.leastExpected { appendLine("Expect:") }
        check(sluice_set_list(pointer, CURLOPT_HTTPHEADER, list), CURLOPT_HTTPHEADER)
    }

    private func appendLine(_ line: UnsafePointer<CChar>?) {
        guard let longer = curl_slist_append(list, line) else {
            preconditionFailure("out of memory for a list of headers")
        }
        list = longer
    }

    private func setCallbacks(_ owner: UnsafeMutableRawPointer) {
        let users = [
            CURLOPT_READDATA, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_SEEKDATA,
            CURLOPT_PREREQDATA,
        ]
        for option in users { set(option, pointer: owner) }
        check(sluice_set_read(pointer, Callbacks.read), CURLOPT_READFUNCTION)
        check(sluice_set_write(pointer, Callbacks.write), CURLOPT_WRITEFUNCTION)
        check(sluice_set_header(pointer, Callbacks.header), CURLOPT_HEADERFUNCTION)
        check(sluice_set_seek(pointer, Callbacks.seek), CURLOPT_SEEKFUNCTION)
        check(sluice_set_before_request(pointer, Callbacks.beforeRequest), CURLOPT_PREREQFUNCTION)
    }

    private func set(_ option: CURLoption, _ value: Int) {
        check(sluice_set_long(pointer, option, value), option)
    }

    private func set(_ option: CURLoption, _ value: String?) {
        check(sluice_set_string(pointer, option, value), option)
    }

    private func set(_ option: CURLoption, pointer value: UnsafeMutableRawPointer?) {
        check(sluice_set_pointer(pointer, option, value), option)
    }

    private func check(_ code: CURLcode, _ option: CURLoption) {
        precondition(
            code == CURLE_OK, "libcurl refuses option \(option.rawValue): \(code.rawValue)")
    }
}
