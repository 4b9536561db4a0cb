/// Time, and what it costs: pauses, reminders, and what the window gives up.
extension ConnectorHealth {
    /// Tells of what lasts, hourly and as the window runs out; to be called once a minute or so.
    ///
    /// - Parameter oldest: when the oldest event was accepted that waits for an event type; nil: for any.
    public mutating func tick(
        at now: Instant, oldest: (_ eventType: String?) -> Instant? = { _ in nil }
    ) -> [Action] {
        guard pausedSince == nil else { return [] }
        var actions =
            episode?.reminder(oldest: oldest(nil), window: window, at: now) ?? []
        actions += misconfiguration?.reminder(at: now) ?? []
        for name in eventTypes.keys.sorted() {
            actions +=
                eventTypes[name]?.reminder(oldest: oldest(name), window: window, at: now) ?? []
        }
        if actions.contains(where: \.isOfEpisode) { revision += 1 }
        return actions
    }

    /// Sends nothing until `resume`; the clocks of episodes stand.
    public mutating func pause(at now: Instant) {
        guard pausedSince == nil else { return }
        pausedSince = now
        revision += 1
        forEachEpisode { $0.timeline.stand(at: now) }
    }

    /// Ends a pause. Troubles stand as they stood before it.
    public mutating func resume(at now: Instant) -> [Action] {
        guard pausedSince != nil else { return [] }
        pausedSince = nil
        revision += 1
        if silentSince == nil { forEachEpisode { $0.goOn(at: now) } }
        return holdOff(at: now)
    }

    /// Takes the settings of a connector that was configured, or edited.
    ///
    /// - Parameters:
    ///   - grace: for how long credentials that never worked are taken for new ones.
    ///   - isOther: the credentials or the destination are not those that may have worked.
    public mutating func configure(
        window: Duration, grace: Duration, isOther: Bool, at now: Instant
    ) -> [Action] {
        // A notice that is being given gets as long as a raised window asks for.
        let givesNotice =
            window < self.window
            || window > self.window && episodes.contains { $0.nothingBefore ?? now > now }
        if window != self.window { forEachEpisode { $0.told = 0 } }
        self.window = window
        self.grace = grace
        if isOther {
            configured = now
            isVerified = false
            // Another server may have another clock.
            forEachEpisode { $0.dated = nil }
        }
        revision += 1
        return givesNotice ? holdOff(at: now) : []
    }

    /// The machine slept: nobody could hear what is at risk.
    public mutating func slept(at now: Instant) -> [Action] {
        holdOff(at: now)
    }

    /// Nothing is given up for an hour, or a tenth of a window that is short.
    private mutating func holdOff(at now: Instant) -> [Action] {
        let until = now + min(.seconds(3600), window / 10)
        var actions: [Action] = []
        forEachEpisode {
            $0.holdOff(until: until)
            actions.append(.heldOff(eventType: $0.eventType, until: until))
        }
        if !actions.isEmpty { revision += 1 }
        return actions
    }

    mutating func forEachEpisode(_ body: (inout Episode) -> Void) {
        if var changed = episode {
            body(&changed)
            episode = changed
        }
        for name in eventTypes.keys.sorted() { eventTypes[name]?.withEpisode(body) }
    }

    // MARK: The window

    /// The episodes that hold, the whole connector's first.
    public var episodes: [Episode] { (episode.map { [$0] } ?? []) + deniedEventTypes }

    /// Whether events of a type, accepted up to then, are to be given up.
    public func hasLost(_ accepted: Instant, eventType: String, at now: Instant) -> Bool {
        guard pausedSince == nil else { return false }
        func hasLost(_ episode: Episode?) -> Bool {
            episode?.hasLost(accepted, window: window, at: now) ?? false
        }
        return hasLost(episode) || hasLost(eventTypes[eventType]?.episode)
    }

    /// When events of a type, accepted then, will be given up if nothing changes; nil: never.
    public func firstDrop(_ accepted: Instant, eventType: String, at now: Instant) -> Instant? {
        [episode, eventTypes[eventType]?.episode].compactMap {
            $0?.firstDrop(accepted, window: window, at: now)
        }.min()
    }

    // MARK: Over restarts

    /// What must outlive the process.
    public var record: HealthRecord {
        HealthRecord(
            isVerified: isVerified, window: window, pausedSince: pausedSince,
            silentSince: silentSince, episodes: episodes)
    }

    /// Goes on from what an earlier process kept; to be called once, before anything is attempted or accepted.
    ///
    /// - Parameters:
    ///   - hasBooted: the machine was started anew since.
    ///   - now: not behind anything accepted before the boot, and not past anything accepted since.
    public mutating func restore(
        _ record: HealthRecord, hasBooted: Bool, at now: Instant
    ) -> [Action] {
        isVerified = record.isVerified
        window = record.window
        pausedSince = record.pausedSince
        silentSince = record.silentSince
        var told: [Action] = []
        for kept in record.episodes {
            var kept = kept
            if hasBooted { kept.booted(at: now) }
            told += kept.trouble.reminder(at: now, always: true)
            if let type = kept.eventType {
                eventTypes[type] = EventTypeHealth(kept, eventType: type, at: now)
            } else {
                episode = kept
            }
        }
        return hasBooted ? told + holdOff(at: now) : told
    }
}

extension ConnectorHealth.Action {
    fileprivate var isOfEpisode: Bool {
        if case .lasting(.credentialsFailing, _, _, _) = self { true } else { false }
    }
}
