public import Avro
public import Model

/// The part of the configuration that decides which events go where, and under which keys.
///
/// The routing in effect is kept in the spool: an event file is read to its end under the routing under which its
/// first event was routed, restarts included, or an event refused once could be delivered the second time.
public struct Routing: Sendable, Equatable {
    public struct Connector: Sendable, Equatable {
        public var name: ConnectorName
        /// An export connector takes files as they are; what concerns events has no meaning for it.
        public var kind: ConnectorSettings.Kind
        public var keyTemplate: KeyTemplate
        public var folder: String
        public var integrationID: String
        public var patterns: [EventPattern]
        public var defaultEventType: String?
        public var format: ObjectFormat
        /// nil: the format's standard.
        public var compressionLevel: Int?
        public var transforms: Transforms
        public var limits: BatchLimits

        public init(_ settings: ConnectorSettings) {
            name = settings.name
            kind = settings.kind
            keyTemplate = settings.keyTemplate
            folder = settings.folder
            integrationID = settings.integrationID
            patterns = settings.events
            defaultEventType = settings.defaultEventType
            format = settings.format
            compressionLevel = settings.compressionLevel
            transforms = settings.transforms
            limits = settings.batch
        }
    }

    public var cluster: String
    public var zone: String
    public var partition: Int
    public var unmatched: Unmatched
    /// In ascending order of names.
    public var connectors: [Connector]
    /// By event type, for the connectors in Avro; where there is none of them, no schema is in effect.
    public var schemas: SchemaSet

    public init(
        cluster: String, zone: String, partition: Int, unmatched: Unmatched,
        connectors: [Connector], schemas: SchemaSet = SchemaSet()
    ) {
        self.cluster = cluster
        self.zone = zone
        self.partition = partition
        self.unmatched = unmatched
        self.connectors = connectors
        let hasAvro = connectors.contains { $0.kind == .currents && $0.format.isAvro }
        self.schemas = hasAvro ? schemas : SchemaSet()
    }

    /// The connectors that take files as they are.
    public var exports: Set<ConnectorName> {
        Set(connectors.lazy.filter { $0.kind == .dataExport }.map(\.name))
    }

    /// The schema ID of formats that have no schema.
    public static let noSchema: UInt32 = 0

    /// What objects of a type are written with; nil: the connector's format has no schemas, or there is none.
    public func schema(_ connector: Connector, eventType: String) -> AvroSchema? {
        connector.format.isAvro ? schemas[eventType] : nil
    }

    public func key(
        _ connector: Connector, eventType: String, hour: Hour, offset: UInt64
    ) -> String {
        ObjectKey(
            folder: connector.folder, cluster: cluster, integrationID: connector.integrationID,
            zone: zone, partition: partition,
            schemaID: schema(connector, eventType: eventType)?.id ?? Self.noSchema
        ).text(eventType: eventType, hour: hour, offset: offset, suffix: connector.format.suffix)
    }
}
