import ArgumentParser
import Configuration
import Curl
import Model

/// What `archive retry` and `archive discard` are told.
struct ArchiveChoice: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The connector.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String

    @Argument(
        help: ArgumentHelp(
            "One batch, as \"archive list\" names it; without it all of the connector.",
            valueName: "batch"))
    var batch: String?

    /// A batch is named by digits, letters and hyphens; nothing else goes into the request.
    static func isName(_ batch: String) -> Bool {
        batch != ""
            && batch.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x5F || byte == 0x2E
            }
    }

    func validate() throws {
        guard batch.map(Self.isName) != false else {
            throw ValidationError(
                "\"\(batch ?? "")\" is no batch; \"sluicectl archive list\" names them")
        }
    }
}

/// `sluicectl archive retry`: delivers archived batches after all.
struct ArchiveRetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Sends archived batches after all.",
        discussion: """
            They are held for their connector again, each under the key that it has always had.

            Exit status: 0 where they are held again, 1 where there is no such batch, 75 where it \
            may work later, 77 where you may not ask sluiced.
            """)

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var choice: ArchiveChoice

    func run() throws {
        let (name, listen) = try Deciding.place(options, choice)
        ControlSocket.ask(
            listen,
            Deciding.question("retry", name, choice.batch) { amount in
                "\(amount.text) of connector \(name) wait to be delivered again"
            })
    }
}

/// `sluicectl archive discard`: gives archived batches up.
struct ArchiveDiscardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Gives archived batches up, for good.",
        discussion: """
            They are removed, counted, and recorded in the journal.

            Exit status: 0 where they are given up, 1 where there is no such batch or you said no, \
            64 without a terminal and --yes, 75 where it may work later, 77 where you may not ask \
            sluiced.
            """)

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var choice: ArchiveChoice

    @Flag(help: "Do not ask.")
    var yes = false

    func run() throws {
        try Confirmation.require(unless: yes)
        let (name, listen) = try Deciding.place(options, choice)
        let discard = Deciding.question("discard", name, choice.batch) { amount in
            "gave up \(amount.text) archived for connector \(name)"
        }
        if yes { ControlSocket.ask(listen, discard) }
        let look = ControlSocket.Question(
            method: .get, target: "/archive?connector=\(name)", timeout: .seconds(60)
        ) { [batch = choice.batch] answer in
            guard answer.status == 200 else { return .end(answer.refusal.show()) }
            guard let document = try? JSONReader.read(answer.body),
                var archive = Archive(document)
            else { return .end(Refusal.unknownAnswer.show()) }
            if let batch { archive.batches.removeAll { $0.id != batch } }
            // What is not there is for the daemon to refuse.
            guard archive.batches.isEmpty || Deciding.confirm(archive.sum, name) else {
                Output.error("nothing was given up")
                return .end(.failed)
            }
            return .ask(discard)
        }
        ControlSocket.ask(listen, look)
    }
}

private enum Deciding {
    /// As long as moving 100,000 batches may take.
    private static let timeout = Duration.seconds(600)

    static func place(
        _ options: ConfigurationOptions, _ choice: ArchiveChoice
    ) throws -> (name: ConnectorName, listen: [ListenAddress]) {
        let outline = try options.loadOutline()
        guard let name = ConnectorName(choice.connector) else {
            throw SubmitCommand.unknown(choice.connector, outline.connectors).show()
        }
        return (name, outline.main.settings.http.listen)
    }

    static func confirm(_ amount: DaemonStatus.Amount, _ name: ConnectorName) -> Bool {
        Confirmation.isGiven(
            to: "Give up \(amount.text) archived for connector \(name)? They are lost for good.")
    }

    static func question(
        _ verb: String, _ name: ConnectorName, _ batch: String?,
        sentence: @escaping @MainActor (DaemonStatus.Amount) -> String
    ) -> ControlSocket.Question {
        let target = "/archive/\(verb)?connector=\(name)" + (batch.map { "&batch=\($0)" } ?? "")
        return .init(method: .post, target: target, timeout: timeout) { answer in
            guard answer.status == 200 else { return .end(answer.refusal.show()) }
            guard let amount = DaemonStatus.Amount(answer: answer) else {
                return .end(Refusal.unknownAnswer.show())
            }
            Output.data(
                amount.objects == 0
                    ? "nothing is archived for connector \(name)" : sentence(amount))
            return .end(.success)
        }
    }
}
