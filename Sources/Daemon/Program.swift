import Configuration
import Delivery
import Dispatch
import Files
import Glibc
import Model
import Spool
import Systemd

/// `sluiced`: reads its options, makes the daemon and runs the loop.
public enum Program {
    private static let help = """
        usage: sluiced [--config FILE] [--until-empty]

        Moves events from a spool directory into Amazon S3.

          --config FILE   the configuration (default /etc/sluice/sluice.toml)
          --until-empty   deliver what is there, then end: status 0 when nothing is left,
                          75 when something is held, with one line a connector on why
          --version       print the version
          --help          print this text

        See sluiced(8) and sluice.toml(5).

        """

    private struct Options {
        var file = "/etc/sluice/sluice.toml"
        var isUntilEmpty = false
    }

    /// Keeps the daemon for the life of the process.
    private static var daemon: Daemon?

    public static func run() -> Never {
        ProcessMemory.forbidDumps()
        ProcessMemory.shareAmongThreads()
        blockSignals()
        openStandardFiles()
        // Before there is another thread: it clears the environment.
        let passed = PassedSockets.take()
        signal(SIGPIPE, SIG_IGN)
        // A writer that comes back while a lease is held sends it.
        signal(SIGIO, SIG_IGN)
        let options = options()
        var journal = journal(level: .info, format: .text)
        do throws(StartFailure) {
            let loaded = load(options.file, journal)
            guard let loaded else { end(journal, ExitStatus.configuration) }
            let settings = loaded.settings
            let first = journal
            journal = Self.journal(level: settings.log.level.priority, format: settings.log.format)
            journal.adoptProblems(of: first)
            try DescriptorLimit.secure()
            let files = try openSpool(settings.spool.directory)
            let identity = try prepare(files, settings.spool.directory, journal)
            let book = try readBook(files, journal)
            let daemon = try Daemon(
                LoadedSettings(
                    file: options.file, settings: settings, schemas: loaded.schemas),
                journal: journal,
                files: files, identity: identity, book: book,
                clock: DaemonClock(after: book?.clock), runsUntilEmpty: options.isUntilEmpty,
                passed: ServedSocket.all(passed))
            try daemon.start()
            self.daemon = daemon
        } catch {
            journal.send(JournalEntry(.startRefused, "sluiced cannot run: \(error.text)"))
            end(journal, error.status)
        }
        dispatchMain()
    }

    /// Before there is another thread, so that all of them inherit it; `Daemon.handleSignals` says why.
    private static func blockSignals() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in Daemon.signals { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Where standard error is closed, the first file or connection of ours in its place would get our lines.
    private static func openStandardFiles() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // It gets the lowest number that is free, which is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }

    private static func end(_ journal: JournalWriter, _ status: Int32) -> Never {
        _ = journal.flush(until: .now() + 1)
        _exit(status)
    }

    // MARK: Options

    private static func options() -> Options {
        var options = Options()
        var arguments = CommandLine.arguments.dropFirst()
        while let argument = arguments.popFirst() {
            switch argument {
            case "--config":
                guard let file = arguments.popFirst() else { usage("--config needs a file") }
                options.file = file
            case "--until-empty": options.isUntilEmpty = true
            case "--help", "-h":
                print(help, terminator: "")
                exit(ExitStatus.fine)
            case "--version":
                print("sluiced \(sluiceVersion)")
                exit(ExitStatus.fine)
            default:
                guard argument.hasPrefix("--config=") else { usage("unknown option \(argument)") }
                options.file = String(argument.dropFirst("--config=".count))
            }
        }
        return options
    }

    private static func usage(_ text: String) -> Never {
        let line = Array("sluiced: \(EscapedText.of(text)); see sluiced --help\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        exit(ExitStatus.usage)
    }

    // MARK: Journal and configuration

    private static func journal(level: Priority, format: LogSettings.Format) -> JournalWriter {
        let output: JournalWriter.Output =
            Journal.isStandardError ? .journal : format == .json ? .json : .text
        return JournalWriter(output: output, threshold: level)
    }

    /// nil after having said what is wrong.
    private static func load(_ file: String, _ journal: JournalWriter) -> LoadedConfiguration? {
        let loaded = ConfigurationLoader.load(
            file: file, environment: ConfigurationLoader.processEnvironment())
        for problem in loaded.problems {
            journal.send(
                JournalEntry(
                    .startRefused, "configuration refused: \(problem)", [.file(problem.file)]))
        }
        for warning in loaded.warnings {
            journal.send(
                JournalEntry(.destinationMisconfigured, "\(warning)", [.file(warning.file)]))
        }
        return loaded.problems.isEmpty ? loaded : nil
    }

    // MARK: Spool

    private static func openSpool(_ directory: String) throws(StartFailure) -> RealFileSystem {
        do throws(FileError) {
            let files = try RealFileSystem(root: directory)
            guard try files.lock() else {
                throw FileError(operation: "flock", path: directory, code: EWOULDBLOCK)
            }
            return files
        } catch {
            throw failure(error, directory)
        }
    }

    private static func prepare(
        _ files: RealFileSystem, _ directory: String, _ journal: JournalWriter
    ) throws(StartFailure) -> SpoolTree.Identity {
        var name = [CChar](repeating: 0, count: 256)
        // It fails only for a name that does not fit, and 64 bytes is the kernel's limit.
        gethostname(&name, name.count - 1)
        let host = String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do throws(SpoolFailure) {
            let prepared = try SpoolTree.prepare(files, host: host) {
                journal.send(JournalEntry(.spoolDamaged, $0, [.file(directory)]))
            }
            if let setAside = prepared.setAside {
                journal.send(
                    JournalEntry(
                        .spoolRestored,
                        "the spool \(directory) was restored from a backup: "
                            + "\(count(setAside, "event file")) set aside in quarantine/, since "
                            + "what is in them may have been delivered after the backup was made; "
                            + "what was sealed keeps its keys and is delivered once"))
            }
            return prepared.identity
        } catch {
            switch error {
            case .file(let error): throw failure(error, directory)
            case .elsewhere, .copied, .foreign:
                throw StartFailure(
                    "the spool \(directory) cannot be used: \(error)",
                    status: ExitStatus.configuration)
            case .damaged, .newer:
                throw StartFailure(error.description, status: ExitStatus.failed)
            }
        }
    }

    /// The clocks of episodes. Without them events wait longer, and that is all; so damage is told and passed over.
    private static func readBook(
        _ files: RealFileSystem, _ journal: JournalWriter
    ) throws(StartFailure) -> EpisodeBook? {
        let reason: String
        do throws(SpoolFailure) {
            guard let text = try Spool.readEpisodes(files) else { return nil }
            do throws(CheckedText.Fault) { return try EpisodeBook(text) } catch {
                reason = error.description
            }
        } catch {
            guard case .damaged(_, let text) = error else {
                throw StartFailure(error.description, status: ExitStatus.failed)
            }
            reason = text
        }
        journal.send(
            JournalEntry(
                .spoolDamaged,
                "episodes in the spool is damaged: \(reason); windows begin anew, so events wait "
                    + "longer than they would, and none is lost", [.file("episodes")]))
        return nil
    }

    private static func failure(_ error: FileError, _ directory: String) -> StartFailure {
        switch error.code {
        case ENOENT:
            StartFailure(
                "the spool \(directory) does not exist; make it, owned by the user of sluiced, or "
                    + "name another as [spool] directory", status: ExitStatus.configuration)
        case EACCES, EPERM:
            StartFailure(
                "the spool \(directory) may not be used: \(error); give it to the user of sluiced",
                status: ExitStatus.noPermission)
        case EWOULDBLOCK:
            StartFailure(
                "the spool \(directory) is in use by another sluiced; stop that one, or give each "
                    + "a spool of its own", status: ExitStatus.tryAgainLater)
        default:
            StartFailure(
                "the spool \(directory) cannot be used: \(error)", status: ExitStatus.failed)
        }
    }
}

extension LogSettings.Level {
    var priority: Priority { Priority(name: rawValue) ?? .info }
}
