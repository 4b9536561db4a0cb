import Avro
public import Files
public import Model

/// What the spool keeps for its owner: which batches are uncertain, the state of episodes, the schemas used.
extension Spool {
    private static let episodesKind = "episodes"

    /// Reads the state of episodes, before `open`; nil where there is none.
    public static func readEpisodes(
        _ files: any FileSystem
    ) throws(SpoolFailure) -> CheckedText? {
        try StateFile.read(SpoolLayout.episodes, kind: episodesKind, files)
    }

    /// Keeps the state of episodes (a text of kind `episodes`) durably. Of texts that wait, only the newest is written.
    ///
    /// `done` is called on a queue of the spool's, once this text or a newer one is on the disk, or could not be put there.
    public func keepEpisodes(
        _ text: CheckedText, done: @escaping @Sendable (SpoolFailure?) -> Void
    ) {
        precondition(text.kind == Self.episodesKind)
        surroundings.storage.run {
            self.episodes.text = text
            self.episodes.done.append(done)
            self.writeEpisodes()
        }
    }

    /// A text on its way to the disk, and one that waits.
    struct Episodes {
        var text: CheckedText?
        var done: [@Sendable (SpoolFailure?) -> Void] = []
        var isAtWork = false
    }

    private func writeEpisodes() {
        guard !episodes.isAtWork, let text = episodes.text.take() else { return }
        episodes.isAtWork = true
        let done = episodes.done
        episodes.done = []
        let (files, storage) = (files, surroundings.storage)
        surroundings.syncing.run { [weak self] in
            let failure = Self.failure { () throws(FileError) in
                try StateFile.write(SpoolLayout.episodes, text, in: ".", files)
            }
            for done in done { done(failure) }
            storage.run { [weak self] in
                self?.episodes.isAtWork = false
                self?.writeEpisodes()
            }
        }
    }

    // MARK: Schemas

    /// Reads which schemas were used; none where that was never written.
    static func readUsedSchemas(
        _ files: any FileSystem
    ) throws(SpoolFailure) -> UsedSchemas {
        let path = SpoolLayout.schemas
        let bytes = try onFile { () throws(FileError) in
            try files.read(path, limit: Limits.stateBytes)
        }
        guard let bytes else { return UsedSchemas() }
        return try StateFile.value(path) { () throws(CheckedText.Fault) in
            try UsedSchemas(bytes)
        }
    }

    /// Notes durably what a group of batches is written with, before any of their keys is.
    func noteSchemas(of batches: [Batch]) throws(FileError) {
        if usedSchemas == nil { usedSchemas = try findUsedSchemas() }
        guard let used = usedSchemas else { return }
        var next = used
        for batch in batches {
            guard let schema = schema(of: batch), !next.contains(schema) else { continue }
            next.insert(schema)
        }
        guard next != used else { return }
        try StateFile.write(SpoolLayout.schemas, next.text, in: ".", files)
        usedSchemas = next
    }

    private func findUsedSchemas() throws(FileError) -> UsedSchemas {
        do throws(SpoolFailure) {
            return try Self.readUsedSchemas(files)
        } catch {
            if case .file(let error) = error { throw error }
            // What is in use now is noted again.
            report(.damaged(path: SpoolLayout.schemas, reason: error.description))
            return UsedSchemas()
        }
    }

    // MARK: Uncertain batches

    /// Notes durably that batches may be stored although no answer said so; `HeldBatch.isUncertain` says it after a
    /// restart. Those that are no longer held are passed over. `done` is called on a queue of the spool's.
    public func markUncertain(
        _ batches: [BatchID], done: @escaping @Sendable (SpoolFailure?) -> Void
    ) {
        surroundings.storage.run { self.whenOpened { self.mark(batches, done) } }
    }

    private func mark(
        _ batches: [BatchID], _ done: @escaping @Sendable (SpoolFailure?) -> Void
    ) {
        var directories: Set<String> = []
        do throws(FileError) {
            for batch in batches where !uncertain.contains(batch) {
                guard try files.status(SpoolLayout.envelope(batch)) != nil else { continue }
                try files.write(SpoolLayout.uncertain(batch), [])
                uncertain.insert(batch)
                directories.insert(SpoolLayout.sealed(batch.connector))
            }
        } catch {
            return done(.file(error))
        }
        guard !directories.isEmpty else { return done(nil) }
        let (files, names) = (files, directories.sorted())
        surroundings.syncing.run {
            let failure = Self.failure { () throws(FileError) in
                for name in names { try files.syncDirectory(name) }
            }
            done(failure)
        }
    }

    private static func failure(_ body: () throws(FileError) -> Void) -> SpoolFailure? {
        do throws(FileError) {
            try body()
            return nil
        } catch {
            return .file(error)
        }
    }
}
