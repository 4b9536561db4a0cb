import Model

/// How far a drain is, by one status after another.
struct DrainProgress {
    /// Only this connector's; nil: all.
    var name: String?
    private var last: DaemonStatus
    /// Since it began, over restarts of the daemon.
    private(set) var delivered = DaemonStatus.Amount()
    private(set) var lost = 0

    init(_ name: String?, from status: DaemonStatus) {
        (self.name, last) = (name, status)
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
        if delivered.objects > 0 { return "all is delivered: \(delivered.text)" }
        return lost > 0 ? "nothing is held any more" : "nothing is left to be delivered"
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
