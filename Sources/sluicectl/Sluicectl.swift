import ArgumentParser
import Model

/// The command that people and scripts talk to Sluice with.
///
/// Each subcommand has a file of its own, takes its shared options from `ConfigurationOptions`, writes
/// through `Output`, and ends by throwing one of the statuses of `ExitStatus.swift`.
struct Sluicectl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluicectl",
        abstract: "Looks after Sluice, which moves events from a directory into Amazon S3.",
        version: "sluicectl \(sluiceVersion)",
        subcommands: [
            CheckCommand.self, TestCommand.self, PolicyCommand.self, ExternalIDCommand.self,
            SubmitCommand.self, StatusCommand.self, FlushCommand.self, DrainCommand.self,
            PauseCommand.self, ResumeCommand.self, DiscardCommand.self, RekeyCommand.self,
            QuarantineCommand.self, ArchiveCommand.self, CatCommand.self, FsckCommand.self,
        ])

    /// Here too, so that `--config` may stand before the name of the command.
    @OptionGroup var options: ConfigurationOptions
}
