internal import Delivery
internal import Model
public import Signing

/// The credentials of one connector: fetched from their source, kept, and renewed in time.
///
/// Requests that need a fetch share one, which ends after `longestFetch` whatever happens. A session is
/// renewed ahead of its end by a timer; where that fails it is used to its end and never after, and
/// renewal is tried again until then. After its end a fetch takes place when somebody asks: how often
/// that is, the health of the connector decides.
///
/// Lifetimes are measured on a clock that nobody sets, from the issuer's own `Date`.
public final class RefreshingCredentials: CredentialsProvider {
    private struct Kept {
        var session: Session
        /// nil: it does not expire.
        var end: Instant?
        var mandatory: Instant?
        var until: Timestamp?
    }

    private let source: any CredentialSource
    private let surroundings: CredentialSurroundings
    private let tell: (CredentialsEvent) -> Void
    private var watch: FileWatch?
    private var kept: Kept?
    /// A file has changed since `kept` was fetched; until that worked, a session goes on being used.
    private var isStale = false
    /// Counts what makes a fetch under way worthless.
    private var generation = 0

    private var fetch: (run: Fetch, generation: Int, cancelLimit: () -> Void)?
    private var waiting: [(Result<Credentials, CredentialsUnavailable>) -> Void] = []
    /// Renewals that failed in a row, what was told of them, and when the next may be tried.
    private var failures = 0
    private var told: CredentialsUnavailable?
    private var notBefore: Instant?
    private var cancelTimer: (() -> Void)?

    /// A fetch may take several steps: a program, a token, STS twice.
    static let longestFetch = Duration.seconds(120)

    public private(set) var isFixedUntilRestart: Bool

    init(
        _ source: any CredentialSource, isFixed: Bool, watch: FileWatch?,
        surroundings: CredentialSurroundings, tell: @escaping (CredentialsEvent) -> Void
    ) {
        self.source = source
        self.surroundings = surroundings
        self.tell = tell
        self.watch = watch
        isFixedUntilRestart = isFixed
        watch?.changed = { [weak self] in self?.fileChanged() }
    }

    isolated deinit {
        cancelTimer?()
        fetch?.cancelLimit()
        fetch?.run.giveUp()
        watch?.stop()
    }

    public func credentials(
        completion: @escaping (Result<Credentials, CredentialsUnavailable>) -> Void
    ) {
        if let kept, !isStale, isGood(kept) {
            return completion(.success(kept.session.credentials))
        }
        waiting.append(completion)
        startFetch()
    }

    public func forget() {
        kept = nil
        generation += 1
        disarm()
    }

    private func fileChanged() {
        isStale = true
        generation += 1
        notBefore = nil
        tell(.changed)
    }

    /// Whether it may be given out without asking for a newer one.
    private func isGood(_ kept: Kept) -> Bool {
        guard let end = kept.end, let mandatory = kept.mandatory else { return true }
        let now = surroundings.uptime()
        if now < mandatory { return true }
        return now < end && now < notBefore ?? now
    }

    private func isUsable(_ kept: Kept) -> Bool {
        kept.end.map { surroundings.uptime() < $0 } ?? !isStale
    }

    // MARK: Fetching

    private func startFetch() {
        guard fetch == nil else { return }
        let run = Fetch()
        let limit = surroundings.after(Self.longestFetch) { [weak self] in
            let text = "the credentials did not come within \(Self.longestFetch.text)"
            self?.end(run, .failure(.unreachable(text)))
        }
        fetch = (run, generation, limit)
        // The source belongs to self, and may answer after it is gone.
        source.fetch(run) { [weak self] result in self?.end(run, result) }
    }

    private func end(_ run: Fetch, _ result: SessionResult) {
        guard let fetch, fetch.run === run else { return }
        fetch.cancelLimit()
        run.giveUp()
        self.fetch = nil
        guard fetch.generation == generation else {
            // What was fetched may be what was to be forgotten.
            if !waiting.isEmpty || kept?.end != nil { startFetch() }
            return
        }
        switch result {
        case .success(let session): keep(session)
        case .failure(let reason): failed(reason)
        }
    }

    private func keep(_ session: Session) {
        if let lifetime = session.lifetime, lifetime <= .zero {
            return failed(.unreachable("the credentials that were given have expired already"))
        }
        let isRenewal = kept?.end != nil
        let now = surroundings.uptime()
        isFixedUntilRestart = session.isFixed
        isStale = false
        (failures, told, notBefore) = (0, nil, nil)
        var next = Kept(session: session)
        disarm()
        if let lifetime = session.lifetime {
            let times = RefreshPolicy.times(lifetime: lifetime, random: surroundings.random())
            next.end = now + lifetime
            next.mandatory = now + times.mandatory
            let until = Timestamp(
                unixSeconds: surroundings.now().unixSeconds + lifetime.components.seconds)
            next.until = until
            arm(after: times.renewal)
            if isRenewal { tell(.refreshed(until: until)) }
        }
        kept = next
        answer(.success(session.credentials))
    }

    private func failed(_ reason: CredentialsUnavailable) {
        guard let kept, isUsable(kept), let until = kept.until else {
            self.kept = nil
            disarm()
            return answer(.failure(reason))
        }
        failures += 1
        let pause = RefreshPolicy.pause(
            after: reason, failures: failures, random: surroundings.random())
        notBefore = surroundings.uptime() + pause
        isStale = false
        arm(after: pause)
        if told.map({ !$0.isLike(reason) }) ?? true {
            told = reason
            tell(.refreshFailed(reason, until: until))
        }
        answer(.success(kept.session.credentials))
    }

    private func answer(_ result: Result<Credentials, CredentialsUnavailable>) {
        let completions = waiting
        waiting = []
        for completion in completions { completion(result) }
    }

    // MARK: The timer

    private func arm(after delay: Duration) {
        disarm()
        cancelTimer = surroundings.after(delay) { [weak self] in
            self?.cancelTimer = nil
            self?.renew()
        }
    }

    private func disarm() {
        cancelTimer?()
        cancelTimer = nil
    }

    /// Nobody waits for it; after the end of the session nobody may ask for a long time.
    private func renew() {
        guard let kept, isUsable(kept) else { return }
        startFetch()
    }
}

extension CredentialsUnavailable {
    /// Whether two failures are one and the same for people: request IDs differ each time.
    nonisolated func isLike(_ other: CredentialsUnavailable) -> Bool {
        switch (self, other) {
        case (.misconfigured(let one), .misconfigured(let two)): one == two
        case (.denied(let one), .denied(let two)): one.code == two.code
        case (.unreachable, .unreachable): true
        default: false
        }
    }
}
