import ArgumentParser
import Configuration
import Curl
import Model

/// `sluicectl quarantine retry`: has what was refused read again.
struct QuarantineRetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Has what was refused read again.",
        discussion: """
            Each event goes to the connector that refused it, and to no other; one that none in \
            particular refused goes wherever it belongs now. What is refused again is in \
            quarantine again, under another ID. Mend the connector or the schema first, and run \
            "systemctl reload sluiced".

            Examples:
              sluicectl quarantine retry 1f-events
              sluicectl quarantine retry --all --connector orders

            Exit status: 0 where it is read again, 1 where something cannot be, 75 where it may \
            work later, 77 where you may not ask sluiced.
            """)

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var choice: QuarantineChoice

    @Option(
        help: ArgumentHelp(
            "Only what this connector refused, and files dropped for it.", valueName: "name"))
    var connector: String?

    func run() throws {
        let outline = try options.loadOutline()
        var more = ""
        if let connector {
            guard let name = ConnectorName(connector) else {
                throw SubmitCommand.unknown(connector, outline.connectors).show()
            }
            more = "&connector=\(name)"
        }
        ControlSocket.ask(
            outline.main.settings.http.listen,
            QuarantineDeciding("retry", choice, more) { sums in
                "\(sums) read again; \"sluicectl quarantine list\" shows what is refused again"
            }.question)
    }
}

/// `sluicectl quarantine discard`: gives up what was refused.
struct QuarantineDiscardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Gives up what was refused, for good.",
        discussion: """
            It is removed, counted, and recorded in the journal.

            Examples:
              sluicectl quarantine discard 1f-events 2a-file
              sluicectl quarantine discard --all --yes

            Exit status: 0 where it is given up, 1 where there is no such thing or you said no, \
            64 without a terminal and --yes, 75 where it may work later, 77 where you may not ask \
            sluiced.
            """)

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var choice: QuarantineChoice

    @Flag(help: "Do not ask.")
    var yes = false

    func run() throws {
        try Confirmation.require(unless: yes)
        let listen = try options.loadOutline().main.settings.http.listen
        let discard = QuarantineDeciding("discard", choice) { "\($0) given up" }
        if yes { ControlSocket.ask(listen, discard.question) }
        let target = choice.ids.first.map { "/quarantine/item?id=\($0)&lines=0" }
        let look = ControlSocket.Question(
            method: .get, target: target ?? "/quarantine?limit=1", timeout: .seconds(60)
        ) { [ids = choice.ids] answer in
            guard answer.status == 200 else { return .end(answer.refusal.show()) }
            guard let document = try? JSONReader.read(answer.body),
                let what = Self.stake(ids, document)
            else { return .end(Refusal.unknownAnswer.show()) }
            guard Confirmation.isGiven(to: "Give up \(what)? It is lost for good.") else {
                Output.error("nothing was given up")
                return .end(.failed)
            }
            return .ask(discard.question)
        }
        ControlSocket.ask(listen, look)
    }

    /// What is at stake; nil where the document does not say.
    private static func stake(_ ids: [String], _ document: JSONText) -> String? {
        if ids.isEmpty {
            return document["total"]?.integer.map {
                "all \(Findings.count($0, "item")) in quarantine"
            }
        }
        guard let item = QuarantineList.Item(document) else { return nil }
        let more = ids.count > 1 ? " and \(Findings.count(ids.count - 1, "other item"))" : ""
        return Output.plain(item.words) + more
    }
}

/// Asks for one thing after another, or for all at once, and sums up what came of it.
@MainActor
private final class QuarantineDeciding {
    /// As long as very many may take.
    private static let timeout = Duration.seconds(600)

    private let verb: String
    private var ids: [String]
    private let more: String
    private let sentence: @Sendable (String) -> String
    private var (items, events, left) = (0, 0, 0)
    private var status = ExitCode.success

    nonisolated init(
        _ verb: String, _ choice: QuarantineChoice, _ more: String = "",
        _ sentence: @escaping @Sendable (String) -> String
    ) {
        self.verb = verb
        self.more = more
        self.sentence = sentence
        ids = choice.all ? ["all"] : choice.ids
    }

    /// About the first of those that are left.
    nonisolated var question: ControlSocket.Question {
        MainActor.assumeIsolated { next }
    }

    private var next: ControlSocket.Question {
        .init(
            method: .post, target: "/quarantine/\(verb)?id=\(ids[0])\(more)",
            timeout: Self.timeout
        ) { self.conclude($0) }
    }

    private func conclude(_ answer: ControlSocket.Answer) -> ControlSocket.Step {
        let id = ids.removeFirst()
        if answer.status == 200 {
            guard let document = try? JSONReader.read(answer.body),
                let items = document["items"]?.integer
            else { return .end(Refusal.unknownAnswer.show()) }
            self.items += items
            events += document["events"]?.integer ?? 0
            left += document["left_items"]?.integer ?? 0
            for item in document["left"]?.elements ?? [] {
                let reason = item["reason"]?.string ?? ""
                Output.error(Output.plain("\(item["id"]?.string ?? id) stays: \(reason)"))
            }
            if !(document["left"]?.elements ?? []).isEmpty { status = .failed }
        } else {
            // The others may go all the same.
            status = answer.refusal.show()
        }
        if !ids.isEmpty { return .ask(next) }
        if items > 0 {
            let known = events > 0 ? " with \(Findings.count(events, "event"))" : ""
            Output.data(sentence("\(Findings.count(items, "item"))\(known)"))
        } else if status == .success {
            Output.data("nothing of it is in quarantine")
        }
        if left > 0 {
            Output.error(
                "\(Findings.count(left, "item")) \(left == 1 ? "stays" : "stay") in quarantine")
        }
        return .end(status)
    }
}
