import ArgumentParser
import Configuration
import Curl
import Glibc
import Model

/// `sluicectl archive list`: shows the archived batches.
struct ArchiveListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Shows what is archived.",
        discussion: """
            ACCEPTED is when the first event of a batch came.

            Examples:
              sluicectl archive list
              sluicectl archive list orders --json | jq -r '.archive[].key'

            Exit status: 0 where it is shown, 1 where there is no such connector, 75 where sluiced \
            does not answer, 77 where you may not ask it.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(
        help: ArgumentHelp("Show this connector's only.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String?

    func run() throws {
        let outline = try options.loadOutline()
        var target = "/archive"
        if let connector {
            guard let name = ConnectorName(connector) else {
                throw SubmitCommand.unknown(connector, outline.connectors).show()
            }
            target += "?connector=\(name)"
        }
        let listen = outline.main.settings.http.listen
        ControlSocket.ask(listen, .get, target, timeout: .seconds(60)) { [json] answer in
            guard answer.status == 200 else { return answer.refusal.show() }
            guard let document = try? JSONReader.read(answer.body), let archive = Archive(document)
            else { return Refusal.unknownAnswer.show() }
            if json {
                Output.data(document.text)
            } else {
                archive.lines(width: Output.width).forEach(Output.data)
            }
            return .success
        }
    }
}
