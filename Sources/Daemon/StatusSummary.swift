import Delivery
import Model

/// The one line for the service manager.
///
/// `3 connectors: 2 delivering, 1 credentials failing since 14:02 (first drop in 46 h); backlog 1.2 GB`
struct StatusSummary {
    var clock: DaemonClock
    var intake: IntakeState
    var outboxes: [Outbox]

    private struct Group {
        var state: ConnectorStatus.State
        var count = 0
        var since: Instant?
        var drop: Instant?

        /// Those in trouble come last, where the eye rests.
        var order: (Int, String) { (since == nil ? 0 : 1, state.rawValue) }
    }

    var text: String {
        let installed = outboxes.filter { $0.settings != nil }
        let words = groups(of: installed).map { group in
            let left = group.drop.map { max(.zero, $0 - clock.instant()) }
            return "\(group.count) \(group.state.rawValue)"
                + (group.since.map { " since \(clock.time(of: $0).clock)" } ?? "")
                + (left.map { " (first drop in \($0.spoken))" } ?? "")
        }
        let backlog = outboxes.reduce(UInt64(0)) { $0 + $1.totals.held.bytes }
        let total = count(installed.count, "connector")
        var line = words.isEmpty ? "no connectors" : "\(total): \(words.joined(separator: ", "))"
        line += backlog > 0 ? "; backlog \(ByteCount(backlog))" : "; no backlog"
        if let upload { line += "; \(upload)" }
        if intake.detail != nil { line += "; intake \(intake.word)" }
        return line
    }

    /// `uploading 37 % of 4.0 GB`; nil unless just one larger object is under way.
    private var upload: String? {
        let uploads = outboxes.flatMap(\.uploads)
        guard uploads.count == 1, let upload = uploads.first else { return nil }
        return "uploading \(upload.sent * 100 / upload.size) % of \(ByteCount(upload.size))"
    }

    private func groups(of outboxes: [Outbox]) -> [Group] {
        var groups: [ConnectorStatus.State: Group] = [:]
        for outbox in outboxes {
            var group = groups[outbox.state] ?? Group(state: outbox.state)
            group.count += 1
            group.since = [group.since, outbox.since].compactMap { $0 }.min()
            group.drop = [group.drop, outbox.firstDrop].compactMap { $0 }.min()
            groups[outbox.state] = group
        }
        return groups.values.sorted { $0.order < $1.order }
    }
}

extension Timestamp {
    /// Hours and minutes, UTC.
    fileprivate var clock: String { String(extended.dropFirst(11).prefix(5)) }
}
