import ArgumentParser
import Configuration
import Curl
import Model

/// `sluicectl flush`: has the daemon close the batches that are open.
struct FlushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flush",
        abstract: "Closes open batches now, so that their objects are delivered next.",
        discussion: """
            It waits until they are closed, not until they are delivered: "sluicectl status" shows \
            that. More and smaller objects come of it.

            Examples:
              sluicectl flush
              sluicectl flush orders

            Exit status: 0 where they are closed, 1 where there is no such connector, 75 where \
            sluiced does not answer, 77 where you may not ask it.
            """)

    /// Closing waits for the files that are being read; a large backlog takes its time.
    private static let timeout = Duration.seconds(600)

    @OptionGroup var options: ConfigurationOptions

    @Argument(
        help: ArgumentHelp("Close the batches of this connector only.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String?

    func run() throws {
        let outline = try options.loadOutline()
        var target = "/flush"
        if let connector {
            guard let name = ConnectorName(connector) else {
                throw SubmitCommand.unknown(connector, outline.connectors).show()
            }
            target += "?connector=\(name)"
        }
        let whose = connector.map { " of connector \($0)" } ?? ""
        let listen = outline.main.settings.http.listen
        ControlSocket.ask(listen, .post, target, timeout: Self.timeout) { answer in
            if answer.status == 200 {
                Output.data("all open batches\(whose) are sealed; they are delivered next")
                return .success
            }
            return answer.refusal.show()
        }
    }
}
