public import Files
public import Model

/// What the spool keeps for the owner of delivery: which batches are uncertain, and the state of episodes.
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
