import HTTPServer
import Model
import Spool

/// Clients that wait until what is in the spool is delivered.
///
/// A drain covers what lay in `incoming/`, was being read or was held when it began; what producers drop later has its
/// own time, so a drain ends although they go on. Its way:
///
/// ```
/// looking     until incoming/ was looked through and everything claimed is read
/// sealing     until the batches open by then are sealed
/// delivering  until all that is held by then has left the spool
/// ```
///
/// It ends at once where somebody has to do something first, and waits as long as it takes where nobody has: credentials
/// that fail may be mended.
final class Drains {
    private enum Stage {
        /// `hasLooked`: the look that it asked for is over.
        case looking(hasLooked: Bool)
        case sealing
        /// The newest batch of each connector that it waits for.
        case delivering([ConnectorName: BatchID])
    }

    private final class Drain {
        let exchange: HTTPExchange
        /// nil: all of them.
        let connector: ConnectorName?
        var stage = Stage.looking(hasLooked: false)

        init(_ exchange: HTTPExchange, _ connector: ConnectorName?) {
            self.exchange = exchange
            self.connector = connector
        }
    }

    private unowned let daemon: Daemon
    private var drains: [Drain] = []
    private var isAdvancing = false

    init(_ daemon: Daemon) {
        self.daemon = daemon
    }

    func begin(_ exchange: HTTPExchange, _ connector: ConnectorName?) {
        let drain = Drain(exchange, connector)
        drains.append(drain)
        daemon.spool.look { [weak self] in
            onLoop {
                drain.stage = .looking(hasLooked: true)
                self?.advance()
            }
        }
        advance()
    }

    /// Looks what has become of them; to be called after every change.
    func advance() {
        guard !drains.isEmpty, !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        // Clients that have gone wait for nothing.
        drains.removeAll { $0.exchange.isAbandoned || isAnswered($0) }
    }

    private func isAnswered(_ drain: Drain) -> Bool {
        let outboxes = outboxes(of: drain)
        if let reason = outboxes.lazy.compactMap(\.reasonNotToDrain).first {
            drain.exchange.answer(.text(reason, status: 409))
            return true
        }
        switch drain.stage {
        case .looking(let hasLooked):
            if case .failed(let reason) = daemon.intake {
                drain.exchange.answer(.text("nothing can be sealed: \(reason)", status: 503))
                return true
            }
            let activity = daemon.activity
            guard hasLooked, activity.hasLooked, activity.isIdle, activity.isIncomingEmpty,
                !activity.isChangingRouting
            else { return false }
            seal(drain)
            return false
        case .sealing:
            return false
        case .delivering(let newest):
            let isOver = outboxes.allSatisfy { outbox in
                newest[outbox.name].map { !outbox.holdsAny(through: $0) } ?? true
            }
            guard isOver else { return false }
            drain.exchange.answer(.json(Array("{\"drained\":true}\n".utf8)))
            return true
        }
    }

    private func seal(_ drain: Drain) {
        drain.stage = .sealing
        let spool = daemon.spool
        spool.flush(drain.connector) { isSealed in
            // Behind what the spool has told of the sealed batches.
            spool.afterReports { [weak self] in
                onLoop { self?.sealed(drain, isSealed) }
            }
        }
    }

    private func sealed(_ drain: Drain, _ isSealed: Bool) {
        guard isSealed else {
            drain.exchange.answer(.text("intake has stopped, so nothing was sealed", status: 503))
            drains.removeAll { $0 === drain }
            return
        }
        let newest = outboxes(of: drain).compactMap { outbox in
            outbox.newestHeld.map { (outbox.name, $0) }
        }
        drain.stage = .delivering(Dictionary(uniqueKeysWithValues: newest))
        advance()
    }

    private func outboxes(of drain: Drain) -> [Outbox] {
        if let connector = drain.connector { return daemon.outboxes[connector].map { [$0] } ?? [] }
        return daemon.outboxes.values.sorted { $0.name < $1.name }
    }
}

extension Outbox {
    /// Why what it holds does not go without somebody's help, and what would help; nil: it goes, sooner or later.
    fileprivate var reasonNotToDrain: String? {
        guard totals.held.objects > 0 else { return nil }
        let events = count(totals.held.events, noun)
        if settings == nil {
            return "connector \"\(name)\" is not in the configuration and holds \(events); put it "
                + "back, or give them up with \"sluicectl discard \(name)\""
        }
        if isPaused {
            return "connector \"\(name)\" is paused and holds \(events); "
                + "\"sluicectl resume \(name)\" lets it go on"
        }
        guard atFaultCount > 0 else { return nil }
        let batches = count(atFaultCount, "batch", plural: "batches")
        return "connector \"\(name)\" has \(batches) at fault, which wait for somebody: "
            + (firstFault ?? "see \"sluicectl status \(name)\"")
    }

    /// What waits for nothing but an answer or the disk.
    private var underWay: [BatchID] {
        Array(shipments.keys) + Array(settling.keys) + Array(rekeying.keys)
    }

    fileprivate var newestHeld: BatchID? {
        let queues = Array(waiting.queues.values) + atFault.eventTypes.compactMap { atFault[$0] }
        return (queues.compactMap(\.last) + underWay).max()
    }

    /// Asked after every change, so nothing here looks at each event type that waits.
    fileprivate func holdsAny(through newest: BatchID) -> Bool {
        if let oldest = waiting.oldest(where: { _ in true }), oldest.id <= newest { return true }
        return underWay.contains { $0 <= newest } || atFault.firsts.contains { $0.id <= newest }
    }
}
