import Model

/// What a drain waits for: all that was accepted before it, until it is delivered or given up.
///
/// Producers may go on meanwhile, so "nothing is held" is not waited for. All open batches were sealed at one
/// moment, `sealed`, on the daemon's clock; what was accepted later is not part of it.
struct DrainProgress {
    enum State: Equatable {
        case done
        /// It cannot end by itself: a sentence that says why, and what to do.
        case stuck(String)
        case going
    }

    /// Only this connector's; nil: all.
    var name: String?
    private let sealed: Timestamp
    private var last: DaemonStatus
    /// Since it began, over restarts of the daemon.
    private(set) var delivered = DaemonStatus.Amount()
    private(set) var lost = 0

    /// - Parameter status: as it was before the batches were sealed.
    /// - Parameter sealed: a moment after that.
    init(_ name: String?, from status: DaemonStatus, sealed: Timestamp) {
        (self.name, last, self.sealed) = (name, status, sealed)
    }

    mutating func note(_ status: DaemonStatus) {
        let isSame = status.pid == last.pid && status.started == last.started
        let before = isSame ? sum(last, \.delivered) : .init()
        let now = sum(status, \.delivered)
        delivered.objects += max(0, now.objects - before.objects)
        delivered.events += max(0, now.events - before.events)
        delivered.bytes += max(0, now.bytes - before.bytes)
        lost += max(0, losses(status) - losses(last))
        last = status
    }

    /// What is held now, newer events too.
    var left: DaemonStatus.Amount {
        let orphans = last.orphans.filter { concerns($0.name) }.map(\.held)
        return orphans.reduce(sum(last, \.held), +)
    }

    var state: State {
        // What is held is not known before the spool is read.
        if last.intake == "opening" { return .going }
        if let obstacle = Self.obstacle(in: last, of: name) { return .stuck(obstacle) }
        let isLeft = last.connectors.contains { connector in
            guard concerns(connector.name), connector.held.objects > 0 else { return false }
            // Without a time, those that are being settled are all that is held.
            return connector.oldest.map { $0 <= sealed } ?? true
        }
        return isLeft ? .going : .done
    }

    /// Why nothing that is done here would end it; nil where it may.
    static func obstacle(in status: DaemonStatus, of name: String?) -> String? {
        if status.intake == "failed" {
            let why = status.intakeDetail ?? "the journal says why: journalctl -u sluiced"
            return "intake has failed, so batches cannot be sealed: \(why)"
        }
        for connector in status.connectors where name == nil || name == connector.name {
            guard connector.held.objects > 0 else { continue }
            let held = "\(connector.held.text) of connector \(connector.name)"
            if connector.state == .paused {
                return "\(held) wait, since it is paused; sluicectl resume \(connector.name)"
            }
            if connector.atFault > 0 {
                let objects = Findings.count(connector.atFault, "object")
                let why = connector.faultDetail.map { ": \(connector.withoutSubject($0))" } ?? ""
                return "\(objects) of connector \(connector.name) wait for a person\(why)"
            }
        }
        for orphan in status.orphans where name == nil || name == orphan.name {
            guard orphan.held.objects > 0 else { continue }
            return "\(orphan.held.text) wait for connector \(orphan.name), which left the "
                + "configuration; put connectors.d/\(orphan.name).toml back, or give them up: "
                + "sluicectl discard \(orphan.name)"
        }
        return nil
    }

    /// Why connectors that are waited for do not deliver now.
    var troubles: [Trouble] {
        last.connectors.filter { concerns($0.name) && $0.held.objects > 0 }
            .flatMap { $0.troubles(at: last.now) }.filter(\.isFailing)
    }

    /// `1.2 M events (567 MB) left, 1,204 events/s, about 5m to go`
    func text(afterSeconds seconds: Double) -> String {
        let left = left
        var text = "\(short(left.events)) events (\(ByteCount(UInt64(left.bytes)))) left"
        let rate = Double(delivered.events) / max(1, seconds)
        if rate >= 1 {
            let time = span(Int64(Double(left.events) / rate))
            text += ", \(short(Int(rate))) events/s, about \(time) to go"
        }
        return text
    }

    var closing: String {
        if delivered.objects == 0, lost == 0 { return "nothing is left to be delivered" }
        return "all is delivered: \(delivered.text)"
    }

    private func concerns(_ connector: String) -> Bool { name == nil || name == connector }

    private func sum(
        _ status: DaemonStatus, _ part: (DaemonStatus.Connector) -> DaemonStatus.Amount
    ) -> DaemonStatus.Amount {
        status.connectors.filter { concerns($0.name) }.map(part).reduce(.init(), +)
    }

    private func losses(_ status: DaemonStatus) -> Int {
        sum(status, \.dropped).events + sum(status, \.archived).events
            + sum(status, \.discarded).events
    }
}
