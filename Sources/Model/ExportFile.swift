/// A file that becomes one object, as it is.
public struct ExportFile: Sendable, Hashable {
    /// What stands for an event type where an object's has to; no event's can be it, and people are not shown it.
    public static let eventType = "(file)"

    public var connector: ConnectorName
    public var name: ExportName
    /// When it was last modified, in nanoseconds since 1970.
    public var modified: Int64
    /// In bytes.
    public var size: UInt64

    public init(connector: ConnectorName, name: ExportName, modified: Int64, size: UInt64) {
        self.connector = connector
        self.name = name
        self.modified = modified
        self.size = size
    }

    /// What `{uuid}` in a key is made of: the same for whoever looks at the file.
    public var identity: String { "\(connector)\n\(name.path)\n\(modified)\n\(size)\n" }
}
