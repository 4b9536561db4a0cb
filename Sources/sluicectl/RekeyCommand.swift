import ArgumentParser
import Configuration
import Curl
import Model

/// `sluicectl rekey`: gives batches whose keys another daemon has used keys of their own.
struct RekeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rekey",
        abstract: "Gives batches that are in conflict with another object new keys.",
        discussion: """
            Two daemons that share one identity write to the same keys. Whoever comes second finds \
            another object there, overwrites nothing, and holds the batch. First give each daemon a \
            partition of its own ([identity] partition in sluice.toml) and reload; then this \
            command has each batch delivered under a key of that partition. Only batches in \
            conflict can be given a new key: of any other, the object may lie under the old one.

            Examples:
              sluicectl rekey orders
              sluicectl rekey orders 0000000000000001-000000000000

            Exit status: 0 where they have new keys, 1 where there is no such batch or connector, \
            75 where it may work later, 77 where you may not ask sluiced.
            """)

    /// Each key is made durable by itself.
    private static let timeout = Duration.seconds(600)

    @OptionGroup var options: ConfigurationOptions

    @Argument(
        help: ArgumentHelp("The connector.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String

    @Argument(
        help: ArgumentHelp(
            "One batch, as the journal names it; without it all of the connector.",
            valueName: "batch"))
    var batch: String?

    func validate() throws {
        guard batch.map(ArchiveChoice.isName) != false else {
            throw ValidationError("\"\(batch ?? "")\" is no batch; the journal names them")
        }
    }

    func run() throws {
        let outline = try options.loadOutline()
        guard let name = ConnectorName(connector) else {
            throw SubmitCommand.unknown(connector, outline.connectors).show()
        }
        let target = "/rekey?connector=\(name)" + (batch.map { "&batch=\($0)" } ?? "")
        ControlSocket.ask(
            outline.main.settings.http.listen,
            ControlSocket.Question(method: .post, target: target, timeout: Self.timeout) { answer in
                guard answer.status == 200 else { return .end(answer.refusal.show()) }
                guard let amount = DaemonStatus.Amount(answer: answer) else {
                    return .end(Refusal.unknownAnswer.show())
                }
                Output.data("new keys for \(amount.text) of connector \(name)")
                return .end(.success)
            })
    }
}
