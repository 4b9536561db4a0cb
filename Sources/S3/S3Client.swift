public import Credentials
public import Curl
public import Delivery
internal import Encoding
internal import Glibc
public import Model
internal import Signing

/// Speaks with S3 for one connector: signs each request as it is sent, and reads the answers.
///
/// It decides nothing: every operation ends with a reply, whose meaning is Delivery's, and nothing is
/// sent twice. What S3 says about region, clock and unknown headers is taken over by `correct`.
public final class S3Client {
    public let settings: ConnectorSettings
    /// nil until it was asked.
    public private(set) var region: String?
    /// Seconds that S3's clock is ahead of ours.
    public private(set) var clockOffset: Int64 = 0
    /// What the store said it does not implement; asked again at each start.
    public private(set) var unsupported: Set<OptionalFeature> = []

    private let transport: Transport
    private let provider: any CredentialsProvider
    private let options: TransferOptions
    private let now: () -> Timestamp
    private var signer: RequestSigner?
    /// Operations that wait for the region; not empty while it is asked.
    private var waitingForRegion: [(Answer?) -> Void] = []

    /// - Parameters:
    ///   - options: limits in time; trust and way come from the settings.
    ///   - now: the wall clock.
    public init(
        _ settings: ConnectorSettings, transport: Transport,
        credentials provider: any CredentialsProvider,
        options: TransferOptions = TransferOptions(),
        now: @escaping () -> Timestamp = S3Client.wallClock
    ) {
        self.settings = settings
        self.transport = transport
        self.provider = provider
        self.now = now
        region = settings.region
        var options = options
        options.caFile = settings.caFile
        if let proxy = settings.proxy { options.proxy = .url(proxy) }
        self.options = options
    }

    /// The system's wall clock.
    public nonisolated static func wallClock() -> Timestamp {
        Timestamp(unixSeconds: Int64(time(nil)))
    }

    /// Whether nobody on the way can change a body, so that its checksum is protection enough.
    public var isPrivate: Bool {
        Endpoint(settings, region: region ?? Endpoint.lookupRegion).isPrivate
    }

    /// Takes over what S3 corrected; true where the same request may be sent again at once.
    public func correct(by disposition: Disposition) -> Bool {
        switch disposition {
        case .region(let other, _):
            guard Partition.isRegion(other), other != region else { return false }
            region = other
        case .clock(let server, _):
            clockOffset = server.unixSeconds - now().unixSeconds
        case .unsupported(let feature, _):
            return unsupported.insert(feature).inserted
        case .refreshCredentials:
            provider.forget()
        default:
            return false
        }
        return true
    }

    /// A request before region, credentials and time are known.
    struct Draft {
        var operation: Operation
        var method: HTTPRequest.Method
        var key: String?
        var query: [QueryItem] = []
        var headers: [Header] = []
        var features: Set<OptionalFeature> = []
        var payload = Payload.empty
        var body: (any UploadBody)?
        var sink: ((UnsafeRawBufferPointer) -> Void)?
        var mostForSink = Int.max
        /// How long the store may think about it, where that is longer than for others.
        var patience: Duration?
    }

    /// Sends a request, after asking for the region where it is unknown.
    func send(_ draft: Draft, completion: @escaping (S3Reply) -> Void) -> S3Call {
        let call = S3Call()
        withRegion { [self] failure in
            if let failure {
                completion(S3Reply(attempt(draft, region: nil), .answer(failure)))
                return
            }
            let region = region ?? Endpoint.lookupRegion
            let endpoint = Endpoint(settings, region: region)
            send(draft, to: endpoint, region: region, call: call) { completion($0.reply) }
        }
        return call
    }

    // MARK: The region

    /// Calls `proceed` when the region is known, or cannot be: then us-east-1 is tried, and S3 corrects
    /// it. With an answer where nobody could be asked.
    private func withRegion(_ proceed: @escaping (Answer?) -> Void) {
        guard region == nil else { return proceed(nil) }
        waitingForRegion.append(proceed)
        guard waitingForRegion.count == 1 else { return }
        lookUpRegion(call: S3Call()) { [self] reply in
            var failure: Answer?
            if let answer = reply.answer, case .failed = answer.outcome {
                failure = answer
                failure?.mayHaveArrived = false
            } else {
                region = reply.location ?? reply.answer?.bucketRegion
                // A refusal without a region will not say more next time; the bucket's own answers do.
                let isRefused = (400..<500).contains(reply.answer?.status ?? 0)
                if region == nil, isRefused { region = Endpoint.lookupRegion }
            }
            let waiting = waitingForRegion
            waitingForRegion = []
            for proceed in waiting { proceed(failure) }
        }
    }

    /// Asks GetBucketLocation.
    func lookUpRegion(call: S3Call, completion: @escaping (S3Reply) -> Void) {
        let draft = Draft(
            operation: .getBucketLocation, method: .get, query: [QueryItem("location")])
        let endpoint = Endpoint(lookupFor: settings)
        send(draft, to: endpoint, region: Endpoint.lookupRegion, call: call) { reply, body in
            var reply = reply
            if reply.answer?.status == 200 { reply.location = ResponseDocument(body)?.location }
            completion(reply)
        }
    }

    // MARK: Sending

    private func send(
        _ draft: Draft, to endpoint: Endpoint, region: String, call: S3Call,
        completion: @escaping ((reply: S3Reply, body: [UInt8])) -> Void
    ) {
        let attempt = attempt(draft, region: region)
        provider.credentials { [self] result in
            switch result {
            case .failure(let reason):
                completion((S3Reply(attempt, .unsigned(reason)), []))
            case .success(let credentials):
                let request = signed(draft, for: endpoint, region: region, by: credentials)
                let transfer = transport.start(request) { outcome in
                    let body = (try? outcome.get())?.body ?? []
                    completion((S3Reply(attempt, .answer(Answer(outcome))), body))
                }
                call.runs(as: transfer)
                if call.isCancelled { transfer.cancel() }
            }
        }
    }

    private func attempt(_ draft: Draft, region: String?) -> Attempt {
        Attempt(draft.operation, region: region, features: draft.features)
    }

    private func signed(
        _ draft: Draft, for endpoint: Endpoint, region: String, by credentials: Credentials
    ) -> HTTPRequest {
        var signer = signer
        if signer?.region != region || signer?.credentials != credentials { signer = nil }
        var current =
            signer ?? RequestSigner(credentials: credentials, region: region, service: .s3)
        let unsigned = UnsignedRequest(
            method: draft.method.rawValue, host: endpoint.host, path: endpoint.path(draft.key),
            query: draft.query, headers: draft.headers, payload: draft.payload)
        let time = Timestamp(unixSeconds: now().unixSeconds + clockOffset)
        let signed = current.sign(unsigned, at: time)
        self.signer = current
        var options = options
        if let patience = draft.patience {
            options.idleTimeout = max(options.idleTimeout, patience)
            options.answerTimeout = max(options.answerTimeout, patience)
        }
        var request = HTTPRequest(
            draft.method, "\(endpoint.scheme)://\(endpoint.host)\(signed.target)",
            headers: signed.headers.map { HeaderField($0.name, $0.value) }, body: draft.body,
            options: options, sink: draft.sink)
        request.mostForSink = draft.mostForSink
        return request
    }
}
