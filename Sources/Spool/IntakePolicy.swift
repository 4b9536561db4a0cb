public import Model

/// What the spool has to know of the connectors to share a short disk among them.
public struct IntakePolicy: Sendable, Equatable {
    /// Connectors that deliver nothing at present. What they hold may fill the disk up to `minimum_free`, and then
    /// nothing more is claimed for them; the others go on with the reserve.
    public var troubled: Set<ConnectorName>
    /// The most that a connector may hold before files in its own directory wait.
    public var maxHeld: [ConnectorName: ByteCount]

    /// Of connectors that take files as they are: where in their buckets others put events.
    public var closedFolders: [ConnectorName: [ClosedFolder]]

    /// What analytics read as events must be events.
    public struct ClosedFolder: Sendable, Equatable {
        public var folder: String
        /// Whose it is.
        public var connector: ConnectorName

        public init(folder: String, connector: ConnectorName) {
            self.folder = folder
            self.connector = connector
        }

        func contains(_ key: String) -> Bool {
            key.hasPrefix(folder.isEmpty ? ObjectKey.source : folder + "/")
        }
    }

    public init(
        troubled: Set<ConnectorName> = [], maxHeld: [ConnectorName: ByteCount] = [:],
        closedFolders: [ConnectorName: [ClosedFolder]] = [:]
    ) {
        self.troubled = troubled
        self.maxHeld = maxHeld
        self.closedFolders = closedFolders
    }

    /// Why a file cannot have this key, as a sentence; nil: it can.
    func fault(ofKey key: String, _ connector: ConnectorName) -> String? {
        let size = key.utf8.count
        if size > ObjectKey.longest {
            return
                "its key would have \(size) bytes, and S3 allows \(ObjectKey.longest); shorten its name"
        }
        if let closed = closedFolders[connector]?.first(where: { $0.contains(key) }) {
            return "its key \(key) would lie among the events of connector \(closed.connector)"
        }
        return nil
    }
}
