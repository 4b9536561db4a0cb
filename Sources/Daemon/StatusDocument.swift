import Delivery
import Files
import Glibc
import Model
import Spool

/// What `GET /status` says, and the one line for the service manager.
struct StatusDocument {
    var started: Timestamp
    var directory: String
    var routing: (zone: String, partition: Int)
    var intake: IntakeState
    var activity: SpoolActivity
    var quarantined: Int
    var space: FileSystemSpace?
    var outboxes: [Outbox]

    var json: JSONText {
        let installed = outboxes.filter { $0.settings != nil }
        let orphans = outboxes.filter { $0.settings == nil && !$0.isEmpty }
        return .object([
            ("version", .string(sluiceVersion)), ("pid", .integer(Int(getpid()))),
            ("started", .string(started.extended)), ("now", .string(Clocks.now().extended)),
            ("summary", .string(summary)), ("spool", spool),
            ("connectors", .array(installed.map(connector))),
            ("orphans", .array(orphans.map(orphan))),
        ])
    }

    /// `3 connectors: 2 delivering, 1 credentials failing since 14:02; backlog 1.2 GB`
    var summary: String {
        let installed = outboxes.filter { $0.settings != nil }
        var groups: [(word: String, count: Int, since: Instant?)] = []
        for outbox in installed {
            let word = outbox.word
            if let index = groups.firstIndex(where: { $0.word == word }) {
                groups[index].count += 1
                groups[index].since = [groups[index].since, outbox.since].compactMap { $0 }.min()
            } else {
                groups.append((word, 1, outbox.since))
            }
        }
        groups.sort { ($0.since == nil ? 0 : 1, $0.word) < ($1.since == nil ? 0 : 1, $1.word) }
        let words = groups.map { group in
            "\(group.count) \(group.word)"
                + (group.since.map { " since \(Self.time($0).clock)" } ?? "")
        }
        let backlog = outboxes.reduce(UInt64(0)) { $0 + $1.totals.held.bytes }
        let total = count(installed.count, "connector")
        var line = words.isEmpty ? "no connectors" : "\(total): \(words.joined(separator: ", "))"
        line += backlog > 0 ? "; backlog \(ByteCount(backlog))" : "; no backlog"
        if intake.detail != nil { line += "; intake \(intake.word)" }
        return line
    }

    private static func time(_ instant: Instant) -> Timestamp {
        let ago = Clocks.instant() - instant
        return Timestamp(unixSeconds: Clocks.now().unixSeconds - ago.components.seconds)
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
            members.append(("since", .string(Self.time(since).extended)))
        }
        let denied = outbox.health.deniedEventTypes.compactMap(\.eventType)
        if !denied.isEmpty {
            members.append(("denied_event_types", .array(denied.map { .string($0) })))
        }
        var held = sums(outbox.totals.held)
        if let oldest = outbox.oldest {
            held.append(("oldest", .string(oldest.accepted.extended)))
        }
        members.append(("held", .object(held)))
        var fault: [(String, JSONText)] = [("objects", .integer(outbox.atFaultCount))]
        if let reason = outbox.firstFault { fault.append(("detail", .string(reason))) }
        members.append(("at_fault", .object(fault)))
        members.append(("delivered", .object(sums(outbox.totals.delivered))))
        if let key = outbox.totals.lastKey, let time = outbox.totals.lastTime {
            members.append(
                ("last_object", .object([("key", .string(key)), ("time", .string(time.extended))])))
        }
        return .object(members)
    }

    private func orphan(_ outbox: Outbox) -> JSONText {
        .object([("name", .string(outbox.name.description))] + sums(outbox.totals.held))
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
        case .delivering: health.deniedEventTypes.isEmpty ? "delivering" : "credentials failing"
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
