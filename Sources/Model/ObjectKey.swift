/// The key of an object in the Currents layout.
///
/// ```
/// <folder>/dataexport.<cluster>.S3.integration.<integration-id>/event_type=<type>/date=<hour>/
///     <schema-id>/<zone>/dataexport.<cluster>.S3.integration.<integration-id>+<partition>+<offset><suffix>
/// ```
public struct ObjectKey: Sendable {
    /// S3's limit for a key, in bytes of UTF-8.
    public static let longest = 1024

    public var folder: String
    public var cluster: String
    public var integrationID: String
    public var zone: String
    public var partition: Int
    public var schemaID: UInt32

    public init(
        folder: String, cluster: String, integrationID: String, zone: String, partition: Int,
        schemaID: UInt32
    ) {
        self.folder = folder
        self.cluster = cluster
        self.integrationID = integrationID
        self.zone = zone
        self.partition = partition
        self.schemaID = schemaID
    }

    public func text(eventType: String, hour: Hour, offset: UInt64, suffix: String) -> String {
        let source = "dataexport.\(cluster).S3.integration.\(integrationID)"
        let prefix = folder.isEmpty ? "" : folder + "/"
        return "\(prefix)\(source)/event_type=\(eventType)/date=\(hour)/\(schemaID)/\(zone)/"
            + "\(source)+\(partition)+\(offset)\(suffix)"
    }
}
