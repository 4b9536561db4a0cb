public import Model

/// The part of the configuration that decides which events go where, and under which keys.
///
/// The routing in effect is kept in the spool: an event file is read to its end under the routing under which its
/// first event was routed, restarts included, or an event refused once could be delivered the second time.
public struct Routing: Sendable, Equatable {
    public struct Connector: Sendable, Equatable {
        public var name: ConnectorName
        public var folder: String
        public var integrationID: String
        public var patterns: [EventPattern]
        public var defaultEventType: String?
        public var format: ObjectFormat
        public var limits: BatchLimits

        public init(_ settings: ConnectorSettings) {
            name = settings.name
            folder = settings.folder
            integrationID = settings.integrationID
            patterns = settings.events
            defaultEventType = settings.defaultEventType
            format = settings.format
            limits = settings.batch
        }
    }

    public var cluster: String
    public var zone: String
    public var partition: Int
    public var unmatched: Unmatched
    /// In ascending order of names.
    public var connectors: [Connector]

    public init(
        cluster: String, zone: String, partition: Int, unmatched: Unmatched, connectors: [Connector]
    ) {
        self.cluster = cluster
        self.zone = zone
        self.partition = partition
        self.unmatched = unmatched
        self.connectors = connectors
    }

    /// The schema ID of formats that have no schema.
    public static let noSchema: UInt32 = 0

    public func key(
        _ connector: Connector, eventType: String, hour: Hour, offset: UInt64
    ) -> String {
        ObjectKey(
            folder: connector.folder, cluster: cluster, integrationID: connector.integrationID,
            zone: zone, partition: partition, schemaID: Self.noSchema
        ).text(eventType: eventType, hour: hour, offset: offset, suffix: connector.format.suffix)
    }
}
