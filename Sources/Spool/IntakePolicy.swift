public import Model

/// What the spool has to know of the connectors to share a short disk among them.
public struct IntakePolicy: Sendable, Equatable {
    /// Connectors that deliver nothing at present. What they hold may fill the disk up to `minimum_free`, and then
    /// nothing more is claimed for them; the others go on with the reserve.
    public var troubled: Set<ConnectorName>
    /// The most that a connector may hold before files in its own directory wait.
    public var maxHeld: [ConnectorName: ByteCount]

    public init(troubled: Set<ConnectorName> = [], maxHeld: [ConnectorName: ByteCount] = [:]) {
        self.troubled = troubled
        self.maxHeld = maxHeld
    }
}
