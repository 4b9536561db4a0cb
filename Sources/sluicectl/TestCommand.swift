import ArgumentParser
import Configuration
import Curl
import Dispatch
import Glibc
import Model
import Credentials
import S3

/// `sluicectl test`: tries what a connector needs, step by step.
struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Tries a connector's credentials and permissions, one by one.",
        discussion: """
            It says whose the credentials are, assumes the role where there is one, asks for the bucket's region, lists the folder, and writes and reads the object \
            _sluice_test in it, which stays there; of a connector that takes files, it deletes it again. A failure of one step does not keep the others \
            from being tried. The daemon need not run, and the connector need not be installed: a \
            file that ends in .toml can be named in its place.

            With --send-events, if all is well, one placeholder event of each selected event type \
            is put into the spool, for the daemon to deliver: each type that the connector's \
            "events" name without a "*", and with Avro each that they match and a schema covers. \
            The id of each begins with sluice-test-.

            Run it as the daemon's user, or as root, so that it may read the same secrets:
              sudo sluicectl test orders
              sluicectl test ./orders.toml

            Exit status: 0 where all is well, 1 where a step failed, 77 where the file may not be \
            read, 78 where the configuration is wrong.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Deliver a placeholder event of each event type, too.")
    var sendEvents = false

    @Argument(
        help: ArgumentHelp(
            "A connector, or the file of one that is not installed yet.", valueName: "connector"),
        completion: Completions.connectorsAndFiles)
    var connector: String

    func run() throws {
        let (settings, loaded) = try options.loadConnector(connector)
        let events: PlaceholderEvents?
        do throws(Refusal) {
            events =
                sendEvents
                ? try PlaceholderEvents(
                    for: settings, schemas: settings.format.isAvro ? loaded.schemas : nil,
                    spool: loaded.settings.spool.directory) : nil
        } catch {
            throw error.show()
        }
        MainActor.assumeIsolated {
            TestRun(settings, events, json: json).start()
        }
        dispatchMain()
    }
}

/// One run of the command: it lives until it ends the program.
@MainActor
private final class TestRun {
    private let connector: ConnectorSettings
    private let events: PlaceholderEvents?
    private let json: Bool
    private let transport = Transport()
    private var steps: [TrialStep] = []
    private var trial: ConnectorTrial?

    init(_ connector: ConnectorSettings, _ events: PlaceholderEvents?, json: Bool) {
        (self.connector, self.events, self.json) = (connector, events, json)
    }

    func start() {
        if !json {
            let folder = connector.folder.isEmpty ? "" : connector.folder + "/"
            Output.data("connector \(connector.name): s3://\(connector.bucket)/\(folder)")
        }
        var withoutRole = connector
        withoutRole.credentials.role = nil
        let trial = ConnectorTrial(
            connector, transport: transport,
            provider: TrialCredentials.provider(for: connector, transport),
            base: connector.credentials.role == nil
                ? nil : TrialCredentials.provider(for: withoutRole, transport),
            now: S3Client.wallClock(), tell: { self.take($0) }, end: { self.end() })
        self.trial = trial
        trial.start()
    }

    private func take(_ step: TrialStep) {
        steps.append(step)
        guard !json else { return }
        step.lines(width: Output.width, colours: Output.hasColours(STDOUT_FILENO))
            .forEach(Output.data)
    }

    private var isFine: Bool { !steps.contains { $0.result == .failed } }

    private func end() -> Never {
        if let events { take(isFine ? events.send() : events.notSent) }
        if json {
            let document = JSONText.object([
                ("connector", .string(connector.name.description)),
                ("bucket", .string(connector.bucket)), ("fine", .boolean(isFine)),
                ("steps", .array(steps.map(\.json))),
            ])
            Output.data(document.text)
        }
        exit((isFine ? ExitCode.success : .failed).rawValue)
    }
}
