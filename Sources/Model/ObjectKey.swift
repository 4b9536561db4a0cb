/// The key of an object in the Currents layout.
///
/// ```
/// <folder>/dataexport.<cluster>.S3.integration.<integration-id>/event_type=<type>/date=<hour>/
///     <schema-id>/<zone>/dataexport.<cluster>.S3.integration.<integration-id>+<partition>+<offset><suffix>
/// ```
public struct ObjectKey: Sendable {
    /// S3's limit for a key, in bytes of UTF-8.
    public static let longest = 1024

    /// What the keys begin with, below the folder.
    public static let source = "dataexport."

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
        let source = "\(Self.source)\(cluster).S3.integration.\(integrationID)"
        let prefix = folder.isEmpty ? "" : folder + "/"
        return "\(prefix)\(source)/event_type=\(eventType)/date=\(hour)/\(schemaID)/\(zone)/"
            + "\(source)+\(partition)+\(offset)\(suffix)"
    }

    /// The key of the same object in another zone and partition, and at another offset; nil: it is in no such layout, or
    /// longer than S3 takes.
    public static func moved(
        _ key: String, zone: String, partition: Int, offset: UInt64
    ) -> String? {
        var parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 6, let name = parts.popLast() else { return nil }
        var pieces = name.split(separator: "+", omittingEmptySubsequences: false)
        guard pieces.count >= 3, let last = pieces.popLast(), let digit = last.first, digit.isNumber
        else { return nil }
        pieces[pieces.count - 1] = "\(partition)"
        parts[parts.count - 1] = Substring(zone)
        let suffix = last.drop { $0.isNumber }
        let source = pieces.joined(separator: "+")
        let moved = "\(parts.joined(separator: "/"))/\(source)+\(offset)\(suffix)"
        return moved.utf8.count <= longest ? moved : nil
    }
}
