import Model

/// Decides what `GET /healthz` says: whether any accepted event has waited longer than it should.
///
/// | unhealthy while | for at least |
/// |---|---|
/// | intake has failed, or waits for the disk or the clock | at once |
/// | a batch is at fault, and waits for somebody | at once |
/// | credentials fail, the destination is misconfigured or S3 does not answer, and something is held | `patience` |
///
/// A connector that somebody paused, one without events, and a backlog that is being delivered are healthy.
nonisolated struct HealthCheck: Sendable {
    /// Troubles pass: S3 restarts servers, and new credentials take a moment until all of AWS knows them.
    static let patience = Duration.seconds(300)

    var intake: IntakeState
    var connectors: [ConnectorStatus]

    /// What is wrong, in one line; nil: all is well.
    var complaint: String? {
        if let detail = intake.detail { return detail }
        let ill = connectors.compactMap(complaint)
        guard let first = ill.first else { return nil }
        return ill.count == 1 ? first : "\(first); and \(count(ill.count - 1, "other connector"))"
    }

    private func complaint(_ connector: ConnectorStatus) -> String? {
        if connector.atFault.objects > 0 {
            let batches = count(connector.atFault.objects, "batch", plural: "batches")
            return "connector \(connector.name): \(batches) at fault"
        }
        guard let lasting = connector.troubledFor, lasting >= Self.patience,
            connector.waiting.objects > 0
        else { return nil }
        let state = "\(connector.state.rawValue) for \(lasting.spoken)"
        return
            "connector \(connector.name): \(state), \(count(connector.waiting.events, "event")) waiting"
    }
}

nonisolated extension ConnectorStatus {
    /// What waits for its trouble to end: where single event types are denied, the others are delivered.
    fileprivate var waiting: BatchSums {
        state == .credentialsFailing ? atRisk : held
    }
}
