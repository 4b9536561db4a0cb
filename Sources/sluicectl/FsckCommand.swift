import ArgumentParser
import Configuration
import Delivery
import Dispatch
import Files
import Glibc
import Model
import Spool

/// `sluicectl fsck`: looks at every file of a spool, and changes nothing.
struct FsckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fsck",
        abstract: "Checks every file of the spool, and says what lies there.",
        discussion: """
            It reads all of the spool, each object whole, and repairs nothing: what can be \
            repaired, sluiced repairs when it starts. It may run beside sluiced; then files come \
            and go, and what seems wrong is looked at twice. Each finding is a line: the path \
            below the spool, what is wrong, what that means for the events, and what to do.

            Examples:
              sudo sluicectl fsck
              sluicectl fsck --spool /mnt/backup/sluice --json

            Exit status: 0 where all is as it should be, 1 where something is not or there is no \
            spool, 77 where you may not read it; run it as root, or as user sluice.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp(
            "The spool; else the one that the configuration names.", valueName: "directory"),
        completion: .directory)
    var spool: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let directory = try spool ?? options.loadOutline().main.settings.spool.directory
        var isSound = false
        do throws(Refusal) { isSound = try check(directory) } catch { throw error.show() }
        if !isSound { throw ExitCode.failed }
    }

    /// False where something was found.
    private func check(_ directory: String) throws(Refusal) -> Bool {
        let report = json ? FsckReport.json(directory) : .text
        do throws(FileError) {
            let files = try RealFileSystem(root: directory)
            if try SpoolCheck.isSpool(files) {
                return try check(files, directory, report)
            }
        } catch {
            throw refusal(error, directory)
        }
        throw Refusal("\(directory) is no spool: sluiced never made one there")
    }

    private func check(
        _ files: RealFileSystem, _ directory: String, _ report: FsckReport
    ) throws(FileError) -> Bool {
        let progress = ProgressLine()
        defer { progress.clear() }
        let wasRunning = try files.isLocked()
        report.begin(isRunning: wasRunning)
        var count = 0
        let listener = SpoolCheckListener(
            found: { finding in
                progress.clear()
                report.show(finding, isFirst: count == 0)
                count += 1
            },
            progress: { census in
                progress.show {
                    let looked = census.looked
                    return "\(Findings.count(looked.files, "file")) looked at, "
                        + "\(ByteCount(looked.bytes)) read"
                }
            })
        let census = try SpoolCheck.run(files, listener) {
            (text) throws(CheckedText.Fault) in _ = try EpisodeBook(text)
        }
        progress.clear()
        let isRunning = try files.isLocked()
        report.end(census, directory, count, isRunning: wasRunning || isRunning)
        return count == 0
    }

    private func refusal(_ error: FileError, _ directory: String) -> Refusal {
        if error.isRefused {
            return Refusal(
                "you may not read the spool: \(error); run it as root, or as user sluice",
                .noPermission)
        }
        if error.isMissing, error.path == directory {
            return Refusal(
                "there is no spool: \(directory) does not exist; sluiced makes it when it first "
                    + "starts")
        }
        return Refusal("the spool cannot be read: \(error)")
    }
}
