import ArgumentParser
import Configuration
import Curl
import Model

/// `sluicectl discard`: gives up what is held for a connector.
struct DiscardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Gives up what is held for a connector, for good.",
        discussion: """
            All objects that wait to be delivered for it are removed, counted, and recorded in the \
            journal. The connector may have left the configuration. What comes later is delivered; \
            what is in an object being sent right now may be.

            Examples:
              sluicectl discard old-shop
              sluicectl discard old-shop --yes

            Exit status: 0 where it is given up, 1 where there is no such connector or you said \
            no, 64 without a terminal and --yes, 75 where it may work later, 77 where you may not \
            ask sluiced.
            """)

    /// Removing 100,000 objects takes a while.
    private static let timeout = Duration.seconds(600)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Do not ask.")
    var yes = false

    @Argument(
        help: ArgumentHelp("The connector.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String

    func run() throws {
        try Confirmation.require(unless: yes)
        let outline = try options.loadOutline()
        guard let name = ConnectorName(connector) else {
            throw SubmitCommand.unknown(connector, outline.connectors).show()
        }
        let discard = ControlSocket.Question(
            method: .post, target: "/discard?connector=\(name)", timeout: Self.timeout
        ) { Self.conclude(name, $0) }
        let listen = outline.main.settings.http.listen
        if yes { ControlSocket.ask(listen, discard) }
        let look = ControlSocket.Question(method: .get, target: "/status") { answer in
            Self.confirm(name, answer, then: discard)
        }
        ControlSocket.ask(listen, look)
    }

    @MainActor
    private static func confirm(
        _ name: ConnectorName, _ answer: ControlSocket.Answer, then discard: ControlSocket.Question
    ) -> ControlSocket.Step {
        guard answer.status == 200 else { return .end(answer.refusal.show()) }
        guard let document = try? JSONReader.read(answer.body), let status = DaemonStatus(document)
        else { return .end(Refusal.unknownAnswer.show()) }
        // One that the status does not know is for the daemon to refuse.
        if let held = status.held(name.description) {
            guard held.objects > 0 else {
                Output.data("nothing is held for connector \(name)")
                return .end(.success)
            }
            let question =
                "Give up \(held.text) held for connector \(name)? They are lost for good."
            guard Confirmation.isGiven(to: question) else {
                Output.error("nothing was given up")
                return .end(.failed)
            }
        }
        return .ask(discard)
    }

    @MainActor
    private static func conclude(
        _ name: ConnectorName, _ answer: ControlSocket.Answer
    ) -> ControlSocket.Step {
        guard answer.status == 200 else { return .end(answer.refusal.show()) }
        guard let gone = DaemonStatus.Amount(answer: answer) else {
            return .end(Refusal.unknownAnswer.show())
        }
        Output.data(
            gone.objects == 0
                ? "nothing is held for connector \(name)"
                : "gave up \(gone.text) of connector \(name)")
        return .end(.success)
    }
}

extension DaemonStatus {
    /// What is held for a connector, configured or orphaned; nil where there is none of that name.
    func held(_ name: String) -> Amount? {
        connectors.first { $0.name == name }?.held ?? orphans.first { $0.name == name }?.held
    }
}
