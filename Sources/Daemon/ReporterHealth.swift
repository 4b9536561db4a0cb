import Credentials
import Delivery
import Model
import Spool
import Systemd

/// What is told of a connector's health, and of what it costs.
extension Reporter {
    /// A connector's state changed, or lasts.
    ///
    /// - Parameter risk: what the episode puts at risk that the action is about.
    func changed(
        _ action: ConnectorHealth.Action, _ place: Destination, _ held: BatchSums, _ risk: Risk?,
        _ clock: DaemonClock, isFixedUntilRestart: Bool
    ) {
        switch action {
        case .entered(let condition, let disposition):
            say(
                kind(condition),
                sentence(condition, disposition, place) + (isFixedUntilRestart ? Self.restart : "")
                    + "; \(waiting(held, condition, risk, place, clock))",
                fields(place, condition, disposition) + fields(risk, clock))
        case .lasting(let condition, let disposition, let since, let failures):
            let lasted = (clock.instant() - since).spoken
            say(
                condition.isOfCredentials ? .credentialsStillFailing : kind(condition),
                sentence(condition, disposition, place) + (isFixedUntilRestart ? Self.restart : "")
                    + "; for \(lasted) now, in \(count(failures, "attempt")); "
                    + waiting(held, condition, risk, place, clock),
                fields(place, condition, disposition) + fields(risk, clock))
        case .left(let condition, let after, let failures):
            say(
                ended(condition),
                "connector \(place.connector): \(recovery(condition)) after \(after.spoken) and "
                    + "\(count(failures, "failed attempt")); \(Self.waiting(held, place))",
                [.connector(place.connector), .bucket(place.bucket), .events(held.events)])
        case .verified:
            say(
                .connectorVerified,
                "connector \(place.connector): the first object was accepted by bucket "
                    + "\"\(place.bucket)\"", [.connector(place.connector), .bucket(place.bucket)])
        case .heldOff(let type, let until):
            heldOff(type, until, place, risk, clock)
        case .refreshCredentials:
            break
        }
    }

    /// What comes from the unit's credentials or environment never changes while the process runs.
    private static let restart =
        "; new ones take a restart of sluiced, which loses nothing and delays nothing"

    private func sentence(
        _ condition: Condition, _ disposition: Disposition, _ place: Destination
    ) -> String {
        var place = place
        if case .credentialsFailing(let type?) = condition { place.eventType = type }
        if case .credentialsPending(let type?) = condition { place.eventType = type }
        return disposition.explanation(of: .putObject, at: place)
    }

    private static func waiting(_ held: BatchSums, _ place: Destination) -> String {
        held.events == 0
            ? "nothing waits yet"
            : "\(count(held.events, place.noun)) (\(ByteCount(held.bytes))) "
                + (held.events == 1 ? "waits" : "wait")
    }

    private func waiting(
        _ held: BatchSums, _ condition: Condition, _ risk: Risk?, _ place: Destination,
        _ clock: DaemonClock
    ) -> String {
        guard let risk else { return Self.waiting(held, place) }
        var text = Self.waiting(risk.held, place)
        if case .credentialsPending = condition {
            text +=
                "; credentials that were made just now may take a moment, so this is tried again"
        } else if let drop = risk.drop {
            let verb = risk.onExpiry == .archive ? "archived" : "dropped"
            let left = drop - clock.instant()
            text +=
                left > .zero
                ? "; the first are \(verb) at \(clock.time(of: drop).extended), in \(left.spoken), "
                    + "unless the credentials work before"
                : "; the first are \(verb) with the next rejected attempt"
        }
        return text
    }

    /// Said only where something would be given up before it.
    private func heldOff(
        _ type: String?, _ until: Instant, _ place: Destination, _ risk: Risk?,
        _ clock: DaemonClock
    ) {
        guard let risk, risk.held.events > 0, let drop = risk.drop, drop <= until else { return }
        let scope = type.map { " of type \($0)" } ?? ""
        let verb = risk.onExpiry == .archive ? "archived" : "dropped"
        say(
            .dropsHeldOff,
            "connector \(place.connector): \(place.noun)s\(scope) have waited for their whole window; nothing is "
                + "\(verb) before \(clock.time(of: until).extended); mend the credentials until then; "
                + Self.waiting(risk.held, place),
            [.connector(place.connector), .bucket(place.bucket)] + fields(risk, clock))
    }

    // MARK: Verifying and pausing

    func verified(_ place: Destination, _ held: BatchSums) {
        say(
            .connectorVerified,
            "connector \(place.connector): authenticated, and bucket \"\(place.bucket)\" answers",
            [.connector(place.connector), .bucket(place.bucket)])
    }

    func unverified(_ disposition: Disposition, of operation: Operation, _ place: Destination) {
        let isAdvice = if case .advice = disposition { true } else { false }
        say(
            isAdvice ? .connectorVerified : .connectorUnverified,
            (isAdvice ? "" : "not verified: ") + disposition.explanation(of: operation, at: place),
            fields(place, .misconfigured, disposition))
    }

    func refreshFailed(
        _ reason: CredentialsUnavailable, _ until: Timestamp, _ place: Destination
    ) {
        let disposition = reason.disposition
        let text =
            switch reason {
            case .unreachable(let text), .misconfigured(let text):
                "connector \(place.connector): new credentials cannot be fetched: \(text)"
            // The explanation names the connector and says who denies them.
            case .denied: disposition.explanation(of: .putObject, at: place)
            }
        say(
            .credentialsUnavailable,
            text + "; the present ones are used until \(until.extended), and it is tried again",
            fields(place, .misconfigured, disposition))
    }

    func paused(_ place: Destination, _ held: BatchSums) {
        say(
            .connectorPaused,
            "connector \(place.connector): paused; nothing is sent until \"sluicectl resume "
                + "\(place.connector)\", and nothing is dropped; \(Self.waiting(held, place))",
            [.connector(place.connector), .events(held.events), .bytes(held.bytes)])
    }

    func resumed(_ place: Destination, _ held: BatchSums) {
        say(
            .connectorResumed,
            "connector \(place.connector): goes on; \(Self.waiting(held, place))",
            [.connector(place.connector), .events(held.events), .bytes(held.bytes)])
    }

    // MARK: Losses

    /// One line for each connector, event type and kind: what was given up, to the event.
    ///
    /// - Parameter isLate: counted at the start, because an earlier process ended before it could tell.
    func lost(_ losses: [Loss], isLate: Bool = false) {
        var groups: [LossGroup: [Loss]] = [:]
        for loss in losses {
            let group = LossGroup(
                connector: loss.batch.connector, eventType: loss.eventType, kind: loss.kind)
            groups[group, default: []].append(loss)
        }
        for (group, losses) in groups.sorted(by: { $0.key < $1.key }) {
            tell(group, losses, isLate)
        }
    }

    private func tell(_ group: LossGroup, _ losses: [Loss], _ isLate: Bool) {
        let events = losses.reduce(0) { $0 + $1.events }
        let bytes = losses.reduce(0) { $0 + $1.bytes }
        let perhaps = losses.filter(\.perhapsDelivered).reduce(0) { $0 + $1.events }
        let first = losses.map(\.offset).min() ?? 0
        let last = losses.map { $0.offset + UInt64($0.events) - 1 }.max() ?? 0
        let from = (losses.map(\.accepted.lowerBound).min() ?? Timestamp(unixSeconds: 0)).extended
        let to = (losses.map(\.accepted.upperBound).max() ?? Timestamp(unixSeconds: 0)).extended
        let isExport = group.eventType == ExportFile.eventType
        var text = "connector \(group.connector): "
        if isLate { text += "before the last restart, " }
        text +=
            isExport
            ? "\(count(events, "file")) "
            : "\(count(events, "event")) of type \(group.eventType) in "
                + "\(count(losses.count, "object")) "
        text += "(\(ByteCount(bytes))) \(events == 1 ? "was" : "were") \(group.kind.verb), "
        if !isExport { text += "offsets \(first) to \(last), " }
        text += "accepted from \(from) to \(to)"
        if perhaps > 0 {
            text +=
                "; of these, \(count(perhaps, isExport ? "file" : "event")) may have been delivered"
        }
        text += group.kind.reason
        say(
            group.kind.message, text,
            [
                .connector(group.connector.description), .events(events), .bytes(bytes),
                .objects(losses.count), .droppedEvents(events), .perhapsDelivered(perhaps),
                .acceptedFrom(from), .acceptedTo(to),
            ]
                + (isExport
                    ? []
                    : [.eventType(group.eventType), .firstOffset(first), .lastOffset(last)]))
    }

    // MARK: Kinds

    private func kind(_ condition: Condition) -> MessageKind {
        switch condition {
        case .backingOff(.throttled): .throttled
        case .backingOff: .unreachable
        case .credentialsFailing: .credentialsFailing
        case .credentialsPending: .credentialsPending
        case .misconfigured: .destinationMisconfigured
        }
    }

    private func ended(_ condition: Condition) -> MessageKind {
        switch condition {
        case .backingOff: .reachable
        case .credentialsFailing, .credentialsPending: .credentialsRecovered
        case .misconfigured: .connectorVerified
        }
    }

    private func recovery(_ condition: Condition) -> String {
        switch condition {
        case .backingOff(.throttled): "S3 takes requests at full speed again"
        case .backingOff: "S3 answers again"
        case .credentialsFailing(nil): "the credentials work again"
        case .credentialsPending(nil): "the credentials work now"
        case .credentialsFailing(let type?): "events of type \(type) are accepted again"
        case .credentialsPending(let type?): "events of type \(type) are accepted now"
        case .misconfigured: "the destination accepts objects again"
        }
    }

    // MARK: Fields

    private func fields(_ risk: Risk?, _ clock: DaemonClock) -> [JournalField] {
        guard let risk else { return [] }
        var fields: [JournalField] = [
            .atRiskEvents(risk.held.events), .atRiskBytes(risk.held.bytes),
        ]
        if let drop = risk.drop { fields.append(.dropAt(clock.time(of: drop).extended)) }
        return fields
    }

    private func fields(
        _ place: Destination, _ condition: Condition, _ disposition: Disposition
    ) -> [JournalField] {
        var fields: [JournalField] = [.connector(place.connector), .bucket(place.bucket)]
        if let type = condition.eventType { fields.append(.eventType(type)) }
        if let cause = disposition.cause {
            fields.append(.s3Code(cause.code))
            if let id = cause.requestID { fields.append(.s3RequestID(id)) }
        }
        return fields
    }
}

/// Losses that are told in one line.
private struct LossGroup: Hashable, Comparable {
    var connector: ConnectorName
    var eventType: String
    var kind: Loss.Kind

    static func < (left: LossGroup, right: LossGroup) -> Bool {
        (left.connector, left.eventType, left.kind.rawValue)
            < (right.connector, right.eventType, right.kind.rawValue)
    }
}

extension Loss.Kind {
    fileprivate var verb: String {
        switch self {
        case .dropped: "dropped"
        case .archived: "archived in expired/"
        case .discarded: "discarded"
        case .discardedFromArchive: "discarded from the archive"
        }
    }

    fileprivate var reason: String {
        switch self {
        case .dropped, .archived:
            "; their window is over and the credentials are still rejected"
        case .discarded, .discardedFromArchive: ", as somebody asked for"
        }
    }

    fileprivate var message: MessageKind {
        switch self {
        case .dropped: .eventsDropped
        case .archived: .eventsArchived
        case .discarded, .discardedFromArchive: .eventsDiscarded
        }
    }
}

extension Condition {
    fileprivate var isOfCredentials: Bool {
        switch self {
        case .credentialsFailing, .credentialsPending: true
        case .backingOff, .misconfigured: false
        }
    }

    fileprivate var eventType: String? {
        switch self {
        case .credentialsFailing(let type), .credentialsPending(let type): type
        case .backingOff, .misconfigured: nil
        }
    }
}
