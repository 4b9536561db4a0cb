import ArgumentParser

/// `sluicectl archive`: looks after expired batches that were kept.
struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Lists, retries or discards expired batches that on_expiry = \"archive\" kept.",
        discussion: """
            A batch comes here in place of being dropped. It stays until somebody decides: \
            "retry" delivers it under the key that it has always had, "discard" gives it up.
            """,
        subcommands: [
            ArchiveListCommand.self, ArchiveRetryCommand.self, ArchiveDiscardCommand.self,
        ])
}
