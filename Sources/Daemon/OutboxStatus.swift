import Delivery
import Model
import Spool

/// What an outbox tells of itself.
extension Outbox {
    func status(_ inArchive: ArchiveSums?) -> ConnectorStatus {
        var status = ConnectorStatus(name: name)
        status.place = settings.map {
            ConnectorStatus.Place(
                kind: $0.kind, format: $0.format, bucket: $0.bucket, folder: $0.folder,
                maxHeld: $0.maxHeld)
        }
        status.state = state
        status.detail = detail
        status.since = since.map(clock.time(of:))
        status.troubledFor = since.map { max(.zero, clock.instant() - $0) }
        status.isVerified = health.isVerified
        status.window = health.window
        status.deniedEventTypes = health.deniedEventTypes.compactMap(\.eventType)
        status.held = totals.held
        status.oldest = oldest()?.accepted
        status.filesWait = isOverLimit
        status.atFault = (atFaultCount, firstFault)
        status.conflicts = atFault.conflictCount
        status.risks = health.episodes.map(riskStatus)
        status.losses = losses
        status.inArchive = inArchive ?? ArchiveSums()
        status.delivered = totals.delivered
        status.failures = failures
        status.toRemove = removals.status
        status.rate = rate.perSecond(at: clock.bootTime())
        if let key = totals.lastKey, let time = totals.lastTime { status.lastObject = (key, time) }
        status.uploads = uploads
        return status
    }

    private func riskStatus(_ episode: Episode) -> ConnectorStatus.Risk {
        let risk = risk(eventType: episode.eventType)
        return ConnectorStatus.Risk(
            eventType: episode.eventType, since: clock.time(of: episode.trouble.since),
            code: episode.trouble.because.cause?.code, attempts: episode.trouble.failures,
            held: risk.held,
            firstDrop: risk.drop.map { (clock.time(of: $0), max(.zero, $0 - clock.instant())) },
            onExpiry: risk.onExpiry, isStanding: episode.isStanding)
    }

    var state: ConnectorStatus.State {
        switch health.state {
        case .delivering where !health.deniedEventTypes.isEmpty: .credentialsFailing
        case .delivering: health.isVerified ? .delivering : .neverVerified
        case .backingOff: .backingOff
        case .misconfigured: .misconfigured
        case .credentialsFailing: .credentialsFailing
        case .paused: .paused
        }
    }

    private var trouble: Trouble? {
        switch health.state {
        case .delivering: health.deniedEventTypes.first?.trouble
        case .backingOff(_, let trouble, _), .misconfigured(let trouble): trouble
        case .credentialsFailing(let episode): episode.trouble
        case .paused: nil
        }
    }

    var since: Instant? { trouble?.since }

    /// When the window gives up the first of what waits, if nothing changes.
    var firstDrop: Instant? {
        health.episodes.compactMap { risk(eventType: $0.eventType).drop }.min()
    }

    var detail: String? {
        trouble.map { trouble in
            let type: String? =
                if case .credentialsFailing(let type) = trouble.condition { type } else { nil }
            return trouble.because.explanation(of: .putObject, at: destination(eventType: type))
        }
    }
}
