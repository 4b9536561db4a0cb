import Delivery
import Files
import Glibc
import Model
import Spool

/// What `GET /status` says, and the one line for the service manager.
struct StatusDocument {
    var clock: DaemonClock
    var started: Timestamp
    var directory: String
    var routing: (zone: String, partition: Int)
    var intake: IntakeState
    var activity: SpoolActivity
    var quarantined: Int
    /// By event type.
    var ignoredMembers: [String: Int]
    var space: FileSystemSpace?
    var outboxes: [Outbox]
    /// What lies in the archive.
    var archived: [ConnectorName: ArchiveSums]

    var json: JSONText {
        let installed = outboxes.filter { $0.settings != nil }
        let orphans = outboxes.filter { $0.settings == nil && !$0.isEmpty }
        return .object([
            ("version", .string(sluiceVersion)), ("pid", .integer(Int(getpid()))),
            ("started", .string(started.extended)), ("now", .string(clock.now().extended)),
            ("summary", .string(summary)), ("spool", spool),
            ("connectors", .array(installed.map(connector))),
            ("orphans", .array(orphans.map(orphan))),
        ])
    }

    /// `3 connectors: 2 delivering, 1 credentials failing since 14:02 (first drop in 46 h); backlog 1.2 GB`
    var summary: String {
        let installed = outboxes.filter { $0.settings != nil }
        var groups: [(word: String, count: Int, since: Instant?, drop: Instant?)] = []
        for outbox in installed {
            let word = outbox.word
            let drop = outbox.firstDrop
            if let index = groups.firstIndex(where: { $0.word == word }) {
                groups[index].count += 1
                groups[index].since = [groups[index].since, outbox.since].compactMap { $0 }.min()
                groups[index].drop = [groups[index].drop, drop].compactMap { $0 }.min()
            } else {
                groups.append((word, 1, outbox.since, drop))
            }
        }
        groups.sort { ($0.since == nil ? 0 : 1, $0.word) < ($1.since == nil ? 0 : 1, $1.word) }
        let words = groups.map { group in
            let left = group.drop.map { max(.zero, $0 - clock.instant()) }
            return "\(group.count) \(group.word)"
                + (group.since.map { " since \(clock.time(of: $0).clock)" } ?? "")
                + (left.map { " (first drop in \($0.spoken))" } ?? "")
        }
        let backlog = outboxes.reduce(UInt64(0)) { $0 + $1.totals.held.bytes }
        let total = count(installed.count, "connector")
        var line = words.isEmpty ? "no connectors" : "\(total): \(words.joined(separator: ", "))"
        line += backlog > 0 ? "; backlog \(ByteCount(backlog))" : "; no backlog"
        if intake.detail != nil { line += "; intake \(intake.word)" }
        return line
    }

    private var spool: JSONText {
        var members: [(String, JSONText)] = [
            ("directory", .string(directory)), ("zone", .string(routing.zone)),
            ("partition", .integer(routing.partition)), ("intake", .string(intake.word)),
        ]
        if let detail = intake.detail { members.append(("detail", .string(detail))) }
        members += [
            ("active_files", .integer(activity.activeFiles)),
            ("written_files", .integer(activity.writtenFiles)),
            ("unsealed_batches", .integer(activity.unsealedBatches)),
            ("quarantined", .integer(quarantined)),
        ]
        let ignored = ignoredMembers.sorted { $0.key < $1.key }
        members.append(("ignored_members", .object(ignored.map { ($0.key, .integer($0.value)) })))
        if let space {
            members.append(("free_bytes", .integer(Int(space.freeBytes))))
        }
        return .object(members)
    }

    private func connector(_ outbox: Outbox) -> JSONText {
        var members: [(String, JSONText)] = [
            ("name", .string(outbox.name.description)),
            ("bucket", .string(outbox.settings?.bucket ?? "")),
            ("folder", .string(outbox.settings?.folder ?? "")),
            ("state", .string(outbox.word.replacing(" ", with: "_"))),
        ]
        if let detail = outbox.detail { members.append(("detail", .string(detail))) }
        if let since = outbox.since {
            members.append(("since", .string(clock.time(of: since).extended)))
        }
        members.append(("verified", .boolean(outbox.health.isVerified)))
        members.append(
            ("expire_after_seconds", .integer(Int(outbox.health.window.components.seconds))))
        let denied = outbox.health.deniedEventTypes.compactMap(\.eventType)
        if !denied.isEmpty {
            members.append(("denied_event_types", .array(denied.map { .string($0) })))
        }
        var held = sums(outbox.totals.held)
        if let oldest = outbox.oldest() {
            held.append(("oldest", .string(oldest.accepted.extended)))
        }
        if let most = outbox.settings?.maxHeld {
            held.append(("most_bytes", .integer(Int(clamping: most.bytes))))
            held.append(("files_wait", .boolean(outbox.isOverLimit)))
        }
        members.append(("held", .object(held)))
        var fault: [(String, JSONText)] = [("objects", .integer(outbox.atFaultCount))]
        if let reason = outbox.firstFault { fault.append(("detail", .string(reason))) }
        members.append(("at_fault", .object(fault)))
        members.append(("episodes", .array(outbox.health.episodes.map { episode($0, outbox) })))
        members += losses(outbox)
        members.append(("delivered", .object(sums(outbox.totals.delivered))))
        if let key = outbox.totals.lastKey, let time = outbox.totals.lastTime {
            members.append(
                ("last_object", .object([("key", .string(key)), ("time", .string(time.extended))])))
        }
        return .object(members)
    }

    private func orphan(_ outbox: Outbox) -> JSONText {
        .object(
            [("name", .string(outbox.name.description))] + sums(outbox.totals.held)
                + losses(outbox))
    }

    /// What one episode puts at risk, and until when.
    private func episode(_ episode: Episode, _ outbox: Outbox) -> JSONText {
        var members: [(String, JSONText)] = []
        if let type = episode.eventType { members.append(("event_type", .string(type))) }
        members.append(("since", .string(clock.time(of: episode.trouble.since).extended)))
        if let cause = episode.trouble.because.cause {
            members.append(("code", .string(cause.code)))
        }
        members.append(("attempts", .integer(episode.trouble.failures)))
        let risk = outbox.risk(eventType: episode.eventType)
        members.append(("at_risk", .object(sums(risk.held))))
        if let drop = risk.drop {
            members.append(("first_drop", .string(clock.time(of: drop).extended)))
            members.append(
                (
                    "first_drop_in_seconds",
                    .integer(Int(max(.zero, drop - clock.instant()).components.seconds))
                ))
        }
        members.append(("on_expiry", .string(risk.onExpiry.rawValue)))
        members.append(("clock_stands", .boolean(episode.isStanding)))
        return .object(members)
    }

    private func losses(_ outbox: Outbox) -> [(String, JSONText)] {
        let losses = outbox.losses
        let archive = archived[outbox.name] ?? ArchiveSums()
        let inArchive = JSONText.object([
            ("objects", .integer(archive.objects)), ("events", .integer(archive.events)),
            ("bytes", .integer(Int(archive.bytes))),
        ])
        return [
            ("dropped", lossSums(losses.dropped)), ("archived", lossSums(losses.archived)),
            ("discarded", lossSums(losses.discarded)), ("in_archive", inArchive),
        ]
    }

    private func lossSums(_ sums: LossSums) -> JSONText {
        .object([
            ("objects", .integer(Int(sums.objects))), ("events", .integer(Int(sums.events))),
            ("bytes", .integer(Int(sums.bytes))),
            ("perhaps_delivered_events", .integer(Int(sums.perhapsDelivered))),
        ])
    }

    private func sums(_ sums: BatchSums) -> [(String, JSONText)] {
        [
            ("objects", .integer(sums.objects)), ("events", .integer(sums.events)),
            ("bytes", .integer(Int(sums.bytes))),
        ]
    }
}

/// How intake stands.
enum IntakeState: Equatable {
    case opening
    case running
    case waiting(String)
    case failed(String)

    var word: String {
        switch self {
        case .opening: "opening"
        case .running: "running"
        case .waiting: "waiting"
        case .failed: "failed"
        }
    }

    /// It takes files, or will as soon as there is room.
    var isAtWork: Bool {
        switch self {
        case .running, .waiting: true
        case .opening, .failed: false
        }
    }

    var detail: String? {
        switch self {
        case .opening, .running: nil
        case .waiting(let text), .failed(let text): text
        }
    }
}

extension Outbox {
    /// The connector's health in words.
    var word: String {
        switch health.state {
        case .delivering where !health.deniedEventTypes.isEmpty: "credentials failing"
        case .delivering: health.isVerified ? "delivering" : "never verified"
        case .backingOff: "backing off"
        case .misconfigured: "misconfigured"
        case .credentialsFailing: "credentials failing"
        case .paused: "paused"
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
            return trouble.because.explanation(
                of: .putObject,
                at: Destination(
                    connector: name.description, bucket: settings?.bucket ?? "",
                    host: settings?.endpoint ?? "S3", eventType: type))
        }
    }
}

extension Timestamp {
    /// Hours and minutes, UTC.
    fileprivate var clock: String { String(extended.dropFirst(11).prefix(5)) }
}
