/// What the rules say of the window, in true time and with one account for each batch and scope.
///
/// It knows nothing of timelines, stamps or records. Each account has two readings: `most`, beyond which no event has
/// waited by the letter of the rules, and `least`, which takes off what may be lost on the way (a minute of the spool
/// clock at a power cut, an answer whose Date says only seconds). A batch may be dropped once `most` says so, and has
/// to be once `least` does. All times are in milliseconds.
struct WindowReference {
    /// How long a batch has waited in an episode of one scope.
    struct Account {
        /// Seen by somebody who never sleeps.
        var ran = 0
        /// What the machine slept through, once Date headers tell.
        var credited = 0
        var gap = 0
        /// `total` when the newest rejected attempt was sent.
        var proven = 0

        mutating func settleGap(_ isKnown: Bool) {
            if isKnown { credited += max(0, gap) }
            gap = 0
        }
    }

    struct Batch {
        let id: Int
        /// 0 or 1.
        let type: Int
        let events: Int
        /// In the connector's episode, and in the event type's own.
        var ofConnector = Wait()
        var ofType = Wait()
    }

    struct Wait {
        var most = Account()
        var least = Account()
    }

    /// An episode of the connector (scope 0) or of an event type (1 or 2), as one of the two readings sees it.
    struct Scope {
        /// The order of its first rejection; nil: no episode.
        var began: Int?
        /// The order of its first rejection that has to be listened to.
        var surelyBegan: Int?
        /// Whether the newest rejection had a Date, and whether that had been kept when it last was.
        var isDated = false
        var isDatedKept = false
        var hasBooted = false
        var longestLatency = 0
        /// When something last happened after which nothing is dropped for a while, and how long that is.
        var heldOffAt = 0
        var heldUntil = 0
    }

    struct Sent {
        let batch: Int
        let type: Int
        let order: Int
        let at: Int
        /// The accounts when it was sent.
        let batches: [Batch]
    }

    enum Word {
        case delivered
        case rejected(dated: Bool)
        case denied(dated: Bool)
        /// S3 said something else.
        case answered
        /// Nobody answered, by the letter.
        case unreachable
        /// Nobody can say whether the credentials still fail, though S3 may have answered.
        case undecided
        case nothing
    }

    private(set) var now = 0
    private(set) var batches: [Batch] = []
    private var most = [Scope(), Scope(), Scope()]
    private var least = [Scope(), Scope(), Scope()]
    private var isSilentMost = false
    private var isSilentLeast = false
    private(set) var isPaused = false
    private(set) var window: Int
    private var longestWindow: Int
    private var configuredAt = 0
    private var order = 0
    private var decided = 0

    init(window: Int) {
        self.window = window
        longestWindow = window
    }

    // MARK: What happens

    mutating func pass(_ time: Int) {
        now += time
        guard !isPaused else { return }
        for scope in 0...2 {
            let isMost = most[scope].began != nil && !isSilentMost
            let isLeast = least[scope].began != nil && !isSilentLeast
            guard isMost || isLeast else { continue }
            change(scope) { wait in
                if isMost { wait.most.ran += time }
                if isLeast { wait.least.ran += time }
            }
        }
    }

    mutating func arrive(_ batch: Batch) { batches.append(batch) }

    mutating func send(_ batch: Batch) -> Sent {
        order += 1
        return Sent(batch: batch.id, type: batch.type, order: order, at: now, batches: batches)
    }

    mutating func leave(_ id: Int) { batches.removeAll { $0.id == id } }

    mutating func ended(_ sent: Sent, _ word: Word) {
        order += 1
        let isNews = sent.order > decided
        defer { decided = order }
        switch word {
        case .nothing: return
        case .unreachable: (isSilentMost, isSilentLeast) = (true, true)
        case .undecided: (isSilentMost, isSilentLeast) = (false, true)
        case .answered, .delivered, .rejected, .denied:
            (isSilentMost, isSilentLeast) = (false, false)
        }
        switch word {
        case .delivered:
            ended(0, by: sent)
            ended(1 + sent.type, by: sent)
        case .rejected(let dated):
            rejected(0, sent, dated, isNews)
        case .denied(let dated):
            rejected(1 + sent.type, sent, dated, isNews)
        default: break
        }
    }

    private mutating func ended(_ scope: Int, by sent: Sent) {
        least[scope] = Scope()
        change(scope) { $0.least = Account() }
        // What was sent before the first rejection was answered does not contradict it.
        guard let began = most[scope].surelyBegan ?? most[scope].began, sent.order > began else {
            return
        }
        most[scope] = Scope()
        change(scope) { $0.most = Account() }
    }

    private mutating func rejected(_ scope: Int, _ sent: Sent, _ dated: Bool, _ isNews: Bool) {
        let latency = now - sent.at
        if most[scope].began == nil {
            most[scope].began = order
        } else {
            let isKnown = most[scope].isDated && dated
            // What was sent before the credentials were changed need not be listened to.
            if most[scope].hasBooted, isNews || dated {
                change(scope) { $0.most.settleGap(isKnown) }
                most[scope].hasBooted = false
            }
            prove(scope, sent, \.most, since: most[scope].began)
        }
        if isNews || dated { most[scope].isDated = dated }
        if isNews { most[scope].surelyBegan = most[scope].surelyBegan ?? order }
        if least[scope].began == nil {
            if isNews { least[scope].began = order }
        } else {
            let isKnown = least[scope].isDatedKept && dated && isNews
            let lost = least[scope].longestLatency + latency + 3_000
            if least[scope].hasBooted {
                change(scope) { wait in
                    wait.least.gap -= lost
                    wait.least.settleGap(isKnown)
                }
                least[scope].hasBooted = false
            }
            if isNews { prove(scope, sent, \.least, since: least[scope].began) }
        }
        least[scope].isDated = dated && isNews
        least[scope].longestLatency = max(least[scope].longestLatency, latency)
    }

    /// A rejected attempt proves what the accounts said when it was sent.
    private mutating func prove(
        _ scope: Int, _ sent: Sent, _ reading: WritableKeyPath<Wait, Account>, since began: Int?
    ) {
        guard let began, sent.order > began else { return }
        change(scope) { wait, id in
            guard let old = sent.batches.first(where: { $0.id == id }) else { return }
            let before = (scope == 0 ? old.ofConnector : old.ofType)[keyPath: reading]
            let proven = before.ran + wait[keyPath: reading].credited
            wait[keyPath: reading].proven = max(wait[keyPath: reading].proven, proven)
        }
    }

    mutating func credentialsChanged() {
        order += 1
        decided = order
    }

    mutating func pause() { isPaused = true }

    mutating func resume() {
        isPaused = false
        holdOff()
    }

    mutating func configure(window: Int, isOther: Bool) {
        let isLowered = window < self.window
        self.window = window
        if isLowered { holdOff() }
        for scope in 0...2 {
            change(scope) { $0.least.proven = 0 }
            // A notice that is being given gets as long as the new window asks for.
            guard now < most[scope].heldUntil else { continue }
            most[scope].heldUntil = most[scope].heldOffAt + Self.notice(window)
        }
        longestWindow = max(longestWindow, window)
        configuredAt = now
        guard isOther else { return }
        for scope in 0...2 {
            (most[scope].isDated, most[scope].isDatedKept) = (false, false)
            (least[scope].isDated, least[scope].isDatedKept) = (false, false)
        }
    }

    mutating func slept() { holdOff() }

    /// Everything known by now will outlive the process.
    mutating func kept() {
        for scope in 0...2 {
            most[scope].isDatedKept = most[scope].isDated
            least[scope].isDatedKept = least[scope].isDated
        }
    }

    /// The daemon ended and began again, in the same boot. What it knew since the last minute may be gone.
    mutating func restarted() {
        order += 1
        decided = order
        for scope in 0...2 {
            change(scope) { $0.least.proven = 0 }
            most[scope].isDated = most[scope].isDated || most[scope].isDatedKept
            least[scope].isDated = least[scope].isDatedKept
        }
    }

    /// The machine was off for some time.
    mutating func rebooted(off: Int) {
        restarted()
        now += off
        for scope in 0...2 {
            let counts = !isPaused && !isSilentMost && most[scope].began != nil
            let isSure = least[scope].began != nil
            let surely = isSure && !isPaused && !isSilentLeast && !least[scope].hasBooted
            let lost = isSure ? 61_000 : 0
            change(scope) { wait in
                if counts { wait.most.gap += off }
                wait.least.gap = surely ? off : 0
                wait.least.ran -= lost
            }
            most[scope].hasBooted = true
            least[scope].hasBooted = true
        }
        holdOff()
    }

    /// After it nothing is dropped for a while, nor without another rejection.
    private mutating func holdOff() {
        configuredAt = now
        for scope in 0...2 {
            if most[scope].began != nil {
                most[scope].heldOffAt = now
                most[scope].heldUntil = now + Self.notice(window)
            }
            change(scope) { wait in
                wait.most.proven = 0
                wait.least.proven = 0
            }
        }
    }

    private mutating func change(_ scope: Int, _ body: (inout Wait) -> Void) {
        change(scope) { wait, _ in body(&wait) }
    }

    private mutating func change(_ scope: Int, _ body: (inout Wait, _ id: Int) -> Void) {
        for index in batches.indices {
            let (id, type) = (batches[index].id, batches[index].type)
            if scope == 0 {
                body(&batches[index].ofConnector, id)
            } else if type == scope - 1 {
                body(&batches[index].ofType, id)
            }
        }
    }

    // MARK: What has to be true

    func mayHaveEpisode(_ scope: Int) -> Bool { most[scope].began != nil }
    func mustHaveEpisode(_ scope: Int) -> Bool { least[scope].began != nil }

    private static func notice(_ window: Int) -> Int { min(3_600_000, window / 10) }

    func mayDrop(_ batch: Batch) -> Bool {
        func isProven(_ scope: Scope, _ account: Account) -> Bool {
            scope.began != nil && account.proven >= window && now >= scope.heldUntil
        }
        return !isPaused
            && (isProven(most[0], batch.ofConnector.most)
                || isProven(most[1 + batch.type], batch.ofType.most))
    }

    /// To be asked when all that may be dropped has been, of a batch with no attempt in flight.
    func mustDrop(_ batch: Batch) -> Bool {
        func isProven(_ scope: Scope, _ account: Account) -> Bool {
            scope.began != nil && account.proven >= window
        }
        return !isPaused && now - configuredAt >= Self.notice(longestWindow)
            && (isProven(least[0], batch.ofConnector.least)
                || isProven(least[1 + batch.type], batch.ofType.least))
    }
}
