import Files
public import Model

/// What people ask of the archive: the objects in `expired/`.
extension Spool {
    /// Reads what is archived, for one connector or all, oldest first. `done` is called on a queue of the spool's.
    public func archived(
        _ connector: ConnectorName?,
        done: @escaping @Sendable (Result<[ArchivedBatch], SpoolFailure>) -> Void
    ) {
        let files = surroundings.files
        // Beside everything else: nothing depends on it, and what leaves meanwhile is left out.
        surroundings.workers.run {
            done(
                Result { () throws(SpoolFailure) in
                    var batches: [ArchivedBatch] = []
                    for name in try Self.archivedConnectors(connector, files) {
                        for (id, loss) in try Self.archivedNames(name, files) {
                            if let batch = try ArchivedBatch(id, loss, files) {
                                batches.append(batch)
                            }
                        }
                    }
                    return batches.sorted { $0.id < $1.id }
                })
        }
    }

    /// Holds archived batches again, under their keys: one, by its name, or all of a connector.
    public func retryArchived(
        _ connector: ConnectorName, batch: String?,
        done: @escaping @Sendable (Result<ArchiveSums, ArchiveFailure>) -> Void
    ) {
        surroundings.storage.run {
            self.whenOpened { self.ask(connector, batch, done) { .retry($0, $1, $2) } }
        }
    }

    /// Gives archived batches up for good: one, by its name, or all of a connector.
    public func discardArchived(
        _ connector: ConnectorName, batch: String?,
        done: @escaping @Sendable (Result<ArchiveSums, ArchiveFailure>) -> Void
    ) {
        surroundings.storage.run {
            self.whenOpened { self.ask(connector, batch, done) { .discard($0, $1, $2) } }
        }
    }

    private func ask(
        _ connector: ConnectorName, _ batch: String?,
        _ done: @escaping @Sendable (Result<ArchiveSums, ArchiveFailure>) -> Void,
        _ make: (BatchID, LossName, ArchiveRequest) -> Transfer
    ) {
        do throws(SpoolFailure) {
            var names = try Self.archivedNames(connector, files)
            if let batch { names = names.filter { $0.0.name == batch } }
            guard !names.isEmpty else { return done(.failure(.missing)) }
            names.sort { $0.0 < $1.0 }
            let request = ArchiveRequest(count: names.count, done: done)
            transfer(names.map { make($0.0, $0.1, request) })
        } catch {
            done(.failure(.spool(error)))
        }
    }

    private static func archivedConnectors(
        _ connector: ConnectorName?, _ files: any FileSystem
    ) throws(SpoolFailure) -> [ConnectorName] {
        if let connector { return [connector] }
        return try onFile { () throws(FileError) in
            try files.names(in: SpoolLayout.expired).compactMap { ConnectorName($0) }
        }
    }

    private static func archivedNames(
        _ connector: ConnectorName, _ files: any FileSystem
    ) throws(SpoolFailure) -> [(BatchID, LossName)] {
        try onFile { () throws(FileError) in
            let directory = SpoolLayout.expired(connector)
            guard try files.status(directory) != nil else { return [] }
            var found: [(BatchID, LossName)] = []
            try files.forEachName(in: directory) { text in
                if let name = SealedName(text), case .loss(let loss) = name.kind,
                    loss.kind == .archived
                {
                    found.append((BatchID(connector: connector, first: name.first), loss))
                }
                return true
            }
            return found
        }
    }
}

extension ArchivedBatch {
    /// nil where it left the archive meanwhile.
    init?(_ id: BatchID, _ name: LossName, _ files: any FileSystem) throws(SpoolFailure) {
        let path = name.path(id)
        guard let text = try StateFile.read(path, kind: "envelope", files) else { return nil }
        let envelope = try StateFile.value(path) { () throws(CheckedText.Fault) in
            try Envelope(text)
        }
        self.init(
            id: id, eventType: envelope.eventType, events: envelope.events, bytes: envelope.size,
            key: envelope.key, accepted: envelope.accepted,
            perhapsDelivered: name.perhapsDelivered)
    }
}
