import Credentials
import Delivery
import Digest
import Dispatch
import Model
import S3
import Spool

/// What is at risk while credentials fail, and what the window gives up.
extension Outbox {
    // MARK: The record that outlives the process

    /// What the spool keeps of this connector's health.
    var entry: EpisodeBook.Entry {
        EpisodeBook.Entry(connector: name, destination: destination, record: health.record)
    }

    /// Whether the clock of an episode runs here, so that the spool clock has to be stamped.
    var hasEpisode: Bool { !health.episodes.isEmpty }

    /// Goes on from what an earlier process kept.
    func restore(_ entry: EpisodeBook.Entry, hasBooted: Bool) {
        destination = entry.destination
        self.hasBooted = hasBooted
        let actions = health.restore(entry.record, hasBooted: hasBooted, at: clock.instant())
        keptRevision = health.revision
        perform(actions, destination())
    }

    /// Tells what could not be told while nobody knew what waits.
    func tellRestored() {
        isFilled = true
        var actions = untold
        untold = []
        // What is not in the configuration is told of when it comes back.
        guard settings != nil else { return }
        if hasBooted {
            // The clock may have been behind what the spool proves, and so the end of the delay.
            actions.removeAll { if case .heldOff = $0 { true } else { false } }
            actions += health.slept(at: clock.instant())
        }
        perform(actions, destination())
    }

    func configureHealth(_ settings: ConnectorSettings) {
        let now = Self.identity(of: settings)
        let actions = health.configure(
            window: settings.expireAfter, grace: settings.credentials.grace,
            isOther: destination != now, at: clock.instant())
        destination = now
        perform(actions, destination())
    }

    /// Changes with the destination or the credentials. It is kept in a file, and what is secret is in neither.
    private static func identity(of settings: ConnectorSettings) -> String {
        let text = "\(settings.bucket) \(settings.endpoint ?? "") \(settings.credentials)"
        var digest = SHA256()
        Array(text.utf8).withUnsafeBytes { digest.update($0) }
        return String(digest.finish().hex.prefix(16))
    }

    // MARK: Verifying

    /// Tries the credentials without writing anything, and says how that went.
    ///
    /// - Parameter isCorrected: an answer made us sign otherwise; a second one that wants the same is not followed.
    func verify(isCorrected: Bool = false) {
        guard let client, let folder = settings?.folder, !isPaused else { return }
        let place = destination()
        client.listBucket(prefix: folder.isEmpty ? "" : folder + "/") { [weak self] reply in
            guard let self, self.client === client, !self.isStopped else { return }
            switch reply.disposition {
            case .answered:
                self.health.authenticated()
                self.reporter.verified(place, self.totals.held)
            case .advice:
                // It knows who asks, and denies only this question.
                self.reporter.unverified(reply.disposition, of: .listBucket, place)
            case .clock, .region, .unsupported:
                guard !isCorrected, client.correct(by: reply.disposition) else {
                    self.reporter.unverified(reply.disposition, of: .listBucket, place)
                    break
                }
                self.reporter.corrected(reply.disposition, at: place)
                self.verify(isCorrected: true)
            case .aborted, .backingOff:
                break
            default:
                self.reporter.unverified(reply.disposition, of: .listBucket, place)
            }
            self.surroundings.changed()
        }
    }

    // MARK: Pausing

    func pause() {
        guard !isPaused else { return }
        health.pause(at: clock.instant())
        reporter.paused(destination(), totals.held)
        surroundings.changed()
    }

    func resume() {
        guard isPaused else { return }
        let actions = health.resume(at: clock.instant())
        reporter.resumed(destination(), totals.held)
        perform(actions, destination())
        pump()
    }

    var isPaused: Bool {
        if case .paused = health.state { true } else { false }
    }

    // MARK: Time

    /// To be called once a minute or so.
    func tick() {
        // What is not in the configuration is neither sent nor given up, so there is nothing to tell.
        guard settings != nil else { return }
        let actions = health.tick(at: clock.instant()) { self.oldest($0)?.acceptedInstant }
        perform(actions, destination())
        giveUp()
        pump()
    }

    /// The machine did: nobody could hear what is at risk.
    func slept() {
        guard settings != nil else { return }
        perform(health.slept(at: clock.instant()), destination())
    }

    func perform(_ actions: [ConnectorHealth.Action], _ place: Destination) {
        guard isFilled else {
            untold += actions
            return
        }
        for action in actions {
            if case .refreshCredentials = action { provider?.forget() }
            reporter.changed(
                action, place, totals.held, risk(of: action), clock,
                isFixedUntilRestart: action.isOfRejection && provider?.isFixedUntilRestart == true)
        }
    }

    // MARK: The window

    /// What a scope's episode puts at risk.
    func risk(eventType: String?) -> Risk {
        var sums = totals.held
        if let eventType {
            sums = waiting[eventType]?.sums ?? BatchSums()
            sums.add(atFault[eventType]?.sums ?? BatchSums())
            for shipment in shipments.values where shipment.batch.eventType == eventType {
                sums.add(shipment.batch)
            }
        }
        let now = clock.instant()
        let drop = oldest(eventType).flatMap {
            health.firstDrop($0.acceptedInstant, eventType: $0.eventType, at: now)
        }
        return Risk(held: sums, drop: drop, onExpiry: settings?.onExpiry ?? .drop)
    }

    private func risk(of action: ConnectorHealth.Action) -> Risk? {
        switch action {
        case .entered(let condition, _), .lasting(let condition, _, _, _):
            switch condition {
            case .credentialsFailing(let type), .credentialsPending(let type):
                return risk(eventType: type)
            case .backingOff, .misconfigured: return nil
            }
        case .heldOff(let type, _): return risk(eventType: type)
        case .left, .refreshCredentials, .verified: return nil
        }
    }

    /// Batches given up in one turn of the loop. More wait for the next.
    private static let mostGivenUp = 512

    /// Settles what the window gives up: what waited through a whole one, with a rejected attempt after that.
    func giveUp() {
        guard !isStopped, settings != nil, hasEpisode else { return }
        surroundings.noticeSleep()
        let now = clock.instant()
        var lost: [HeldBatch] = []
        func isLost(_ batch: HeldBatch?) -> Bool {
            guard let batch, lost.count < Self.mostGivenUp else { return false }
            return health.hasLost(batch.acceptedInstant, eventType: batch.eventType, at: now)
        }
        for type in waiting.eventTypes {
            while isLost(waiting[type]?.first), let batch = waiting.takeFirst(type) {
                lost.append(batch)
            }
        }
        for type in atFault.eventTypes {
            while isLost(atFault[type]?.first), let batch = atFault.removeFirst(type) {
                lost.append(batch)
            }
        }
        let isArchiving = settings?.onExpiry == .archive
        for batch in lost {
            let perhaps = uncertain.contains(batch.id)
            settle(
                batch,
                isArchiving
                    ? .archived(perhapsDelivered: perhaps) : .dropped(perhapsDelivered: perhaps))
        }
        guard lost.count == Self.mostGivenUp else { return }
        DispatchQueue.main.async { [weak self] in self?.giveUp() }
    }

    /// Gives up everything that is held and not under way, because somebody says so.
    func discardAll() -> BatchSums {
        var sums = BatchSums()
        retryFaulty()
        let all = waiting.queues.values.flatMap(\.all)
        waiting = WaitingBatches()
        for batch in all {
            sums.add(batch)
            settle(batch, .discarded(perhapsDelivered: uncertain.contains(batch.id)))
        }
        surroundings.changed()
        return sums
    }
}

extension ConnectorHealth.Action {
    /// Whether it tells of credentials that somebody has to mend.
    fileprivate var isOfRejection: Bool {
        switch self {
        case .entered(.credentialsFailing(nil), _), .entered(.credentialsPending(nil), _),
            .lasting(.credentialsFailing(nil), _, _, _):
            true
        default: false
        }
    }
}

/// What an episode puts at risk.
struct Risk {
    var held: BatchSums
    /// When the first of it is given up, if nothing changes; nil: nothing waits.
    var drop: Instant?
    var onExpiry: ConnectorSettings.Expiry
}

extension HeldBatch {
    /// When its youngest event was accepted, by the spool clock.
    var acceptedInstant: Instant { Instant(nanoseconds: 0) + acceptedClock }
}
