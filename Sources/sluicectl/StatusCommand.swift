import ArgumentParser
import Configuration
import Curl
import Glibc
import Model

/// `sluicectl status`: asks the daemon how its connectors do.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows what sluiced is doing: health, backlog, and what to do about troubles.",
        discussion: """
            The worst comes first: × is failing, ↻ tries again, ○ waits for you, ● is well. \
            BACKLOG and SIZE are the events that wait to be delivered and the bytes of their \
            objects, OLDEST is how long the first of them has waited, DROP IN when the window \
            gives up the first; RATE is what was delivered in a second, on average over the last \
            minute; DELIVERED counts events since sluiced started, LAST is when the last object \
            was delivered. Columns for which there is no room are left out. Of more than 20 \
            connectors those that are well are summed up, on a terminal and without --all.

            With --watch the screen stays, and is drawn anew every two seconds; q ends it, and \
            j, k, space and the arrow keys scroll.

            Examples:
              sluicectl status
              sluicectl status orders
              sluicectl status --watch
              sluicectl status --json | jq '.connectors[].held'

            Exit status: 0 where all is well, 1 where something is failing, 64 where --watch has \
            no terminal, 75 where sluiced does not answer, 77 where you may not ask it.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Show each connector and each trouble, however many there are.")
    var all = false

    @Flag(help: "Show it live.")
    var watch = false

    @Option(help: ArgumentHelp("With --watch: how often to ask.", valueName: "seconds"))
    var interval = 2

    @Argument(
        help: ArgumentHelp(
            "Show this connector only, with all that is known.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String?

    func validate() throws {
        guard (1...3600).contains(interval) else {
            throw ValidationError("--interval is a number of seconds from 1 to 3600")
        }
        if watch, json { throw ValidationError("--watch shows no JSON") }
    }

    func run() throws {
        let listen = try options.loadOutline().main.settings.http.listen
        let isTerminal = isatty(STDOUT_FILENO) == 1
        if watch {
            guard isTerminal else {
                throw Refusal(
                    "--watch draws on a terminal, and stdout is none; ask for \"status --json\" "
                        + "as often as you like", .validationFailure
                ).show()
            }
            WatchSession.run(listen, connector, seconds: interval)
        }
        let (json, name) = (json, connector)
        // Who reads all of it with another program gets all of it.
        let showsAll = all || !isTerminal
        ControlSocket.ask(listen, .get, "/status", timeout: .seconds(10)) { answer in
            do throws(Refusal) {
                return try Self.show(answer, name, json: json, showsAll: showsAll)
            } catch {
                return error.show()
            }
        }
    }

    @MainActor
    private static func show(
        _ answer: ControlSocket.Answer, _ name: String?, json: Bool, showsAll: Bool
    ) throws(Refusal) -> ExitCode {
        let (document, status) = try read(answer)
        if let name { try find(name, in: status) }
        if json {
            Output.data(text(document, answer.body, name))
        } else if let name {
            ConnectorReport(status: status, name: name, look: .ofOutput).lines
                .forEach(Output.data)
        } else {
            StatusReport(status: status, look: .ofOutput, showsAll: showsAll).lines
                .forEach(Output.data)
        }
        return status.troubles(of: name).contains(where: \.isFailing) ? .failed : .success
    }

    /// Reads the answer to `GET /status`.
    @MainActor
    static func read(
        _ answer: ControlSocket.Answer
    ) throws(Refusal) -> (document: JSONText, status: DaemonStatus) {
        guard answer.status == 200 else {
            throw Refusal("sluiced: \(answer.sentence) (\(answer.status))", .tryAgainLater)
        }
        guard let document = try? JSONReader.read(answer.body), let status = DaemonStatus(document)
        else {
            throw Refusal("the answer of sluiced is not its status; do the versions fit together?")
        }
        return (document, status)
    }

    static func find(_ name: String, in status: DaemonStatus) throws(Refusal) {
        let names = status.connectors.map(\.name) + status.orphans.map(\.name)
        if names.contains(name) { return }
        throw Refusal(
            "sluiced has no connector \"\(name)\"; \(SubmitCommand.knownNames(names))")
    }

    /// The document as it came, or the part of it that is about one connector.
    private static func text(_ document: JSONText, _ bytes: [UInt8], _ name: String?) -> String {
        guard let name else {
            return String(
                decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...],
                as: UTF8.self)
        }
        let parts = ["connectors", "orphans"].flatMap { document[$0]?.elements ?? [] }
        return parts.first { $0["name"]?.string == name }?.text ?? "null"
    }
}
