public import Files
public import Model

/// An export that lies in its bucket, until it is deleted there.
///
/// Its envelope is kept as a tombstone whose name says when; what it says is what the object must still be to be
/// deleted. Once it is gone there, or somebody else's, the tombstone is one like any other.
public struct StoredExport: Sendable, Hashable {
    public var batch: BatchID
    /// Not before then.
    public var removal: Timestamp

    public init(batch: BatchID, removal: Timestamp) {
        self.batch = batch
        self.removal = removal
    }

    var path: String {
        "\(SpoolLayout.sealed(batch.connector))/\(batch.name).\(removal.unixSeconds).stored"
    }

    /// What was stored.
    public func envelope(_ files: any FileSystem) throws(SpoolFailure) -> Envelope {
        try Envelope.read(path, files)
    }
}

extension Spool {
    /// Nothing is left to do about them in the bucket.
    ///
    /// Where this fails they are told of again at the next start, and looked for in the bucket then.
    public func forget(_ exports: [StoredExport]) {
        surroundings.storage.run { self.whenOpened { self.forgetNow(exports) } }
    }

    private func forgetNow(_ exports: [StoredExport]) {
        attempt { () throws(FileError) in
            for export in exports where try files.status(export.path) != nil {
                if desk != nil, export.batch.first.file < retiredBelow {
                    try files.remove(export.path)
                } else {
                    let tombstone = Tombstone(
                        path: SpoolLayout.tombstone(export.batch), through: export.batch.first)
                    try files.rename(export.path, to: tombstone.path)
                    tombstones.append(tombstone)
                }
            }
        }
        tidyTombstones()
    }
}
