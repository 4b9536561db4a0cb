import Model

/// Bytes that are sealed and not yet settled, by connector.
struct HeldBytes {
    private var sums: [ConnectorName: UInt64] = [:]

    subscript(connector: ConnectorName) -> UInt64 { sums[connector] ?? 0 }

    /// Of all connectors but those named.
    func total(except others: Set<ConnectorName>) -> UInt64 {
        sums.reduce(0) { others.contains($1.key) ? $0 : $0 + $1.value }
    }

    mutating func add(_ connector: ConnectorName, _ bytes: UInt64) {
        sums[connector, default: 0] += bytes
    }

    mutating func remove(_ connector: ConnectorName, _ bytes: UInt64) {
        guard let sum = sums[connector] else { return }
        sums[connector] = sum > bytes ? sum - bytes : nil
    }
}
