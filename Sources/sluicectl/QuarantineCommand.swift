import ArgumentParser
import Configuration
import Curl
import Model

/// `sluicectl quarantine`: looks after what was refused.
struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "Lists, shows, retries or discards what was refused.",
        discussion: """
            What was refused stays in quarantine until somebody decides. Mend the connector or the \
            schema, reload sluiced, and retry. Where the events themselves are wrong, take them \
            out with "show --raw", mend and submit them, and discard what was refused.

            Example:
              sluicectl quarantine list
              sluicectl quarantine show 1f-events
              sluicectl quarantine retry 1f-events
            """,
        subcommands: [
            QuarantineListCommand.self, QuarantineShowCommand.self, QuarantineRetryCommand.self,
            QuarantineDiscardCommand.self,
        ])
}

/// Which things in quarantine are meant.
struct QuarantineChoice: ParsableArguments {
    @Argument(
        help: ArgumentHelp("What \"quarantine list\" names so, as 1f-events.", valueName: "id"))
    var ids: [String] = []

    @Flag(help: "All that lies there now.")
    var all = false

    func validate() throws {
        guard all == ids.isEmpty else {
            throw ValidationError(
                all ? "name IDs or say --all, not both" : "name IDs, or say --all")
        }
        try ids.forEach(Self.check)
    }

    static func check(_ id: String) throws {
        guard Self.isID(id) else {
            throw ValidationError(
                "\"\(id)\" is no ID; \"sluicectl quarantine list\" names them")
        }
    }

    /// Hexadecimal digits and a word: nothing else goes into a request.
    static func isID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.count == 2 && (1...16).contains(parts[0].utf8.count)
            && parts[0].utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
            } && ["events", "file"].contains(parts[1])
    }
}

/// `sluicectl quarantine list`: shows what was refused.
struct QuarantineListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Shows what was refused, and why.",
        discussion: """
            Each ID stands for the refused events of one event file, or for a file that was \
            refused whole. REFUSED is when.

            Examples:
              sluicectl quarantine list
              sluicectl quarantine list --json | jq -r '.quarantine[].id'

            Exit status: 0 where it is shown, 75 where sluiced does not answer, 77 where you may \
            not ask it.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: ArgumentHelp("How many to show.", valueName: "number"))
    var limit = 100

    @Option(help: ArgumentHelp("Show those that come after this one.", valueName: "id"))
    var after: String?

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
        try after.map(QuarantineChoice.check)
    }

    func run() throws {
        let listen = try options.loadOutline().main.settings.http.listen
        let target = "/quarantine?limit=\(limit)" + (after.map { "&after=\($0)" } ?? "")
        ControlSocket.ask(listen, .get, target, timeout: .seconds(60)) { [json] answer in
            guard answer.status == 200 else { return answer.refusal.show() }
            guard let document = try? JSONReader.read(answer.body),
                let list = QuarantineList(document)
            else { return Refusal.unknownAnswer.show() }
            if json {
                Output.data(document.text)
            } else {
                list.lines(width: Output.width).forEach(Output.data)
            }
            return .success
        }
    }
}
