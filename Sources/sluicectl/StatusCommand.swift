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
            BACKLOG and SIZE are the events that wait to be delivered and the bytes of their \
            objects, OLDEST is how long the first of them has waited; DELIVERED counts events since \
            sluiced started, LAST is when the last object was delivered.

            Examples:
              sluicectl status
              sluicectl status orders
              sluicectl status --json | jq '.connectors[].held'

            Exit status: 0 where all is well, 1 where something is failing, 75 where sluiced does \
            not answer, 77 where you may not ask it.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(
        help: ArgumentHelp("Show this connector only.", valueName: "connector"))
    var connector: String?

    func run() throws {
        let settings = try options.loadOutline().main.settings
        let (json, name) = (json, connector)
        ControlSocket.ask(settings.http.listen, .get, "/status", timeout: .seconds(10)) { answer in
            do throws(Refusal) {
                return try Self.show(answer, name, json: json)
            } catch {
                return error.show()
            }
        }
    }

    @MainActor
    private static func show(
        _ answer: ControlSocket.Answer, _ name: String?, json: Bool
    ) throws(Refusal) -> ExitCode {
        guard answer.status == 200 else {
            throw Refusal("sluiced: \(answer.sentence) (\(answer.status))", .tryAgainLater)
        }
        guard let document = try? JSONReader.read(answer.body), let status = DaemonStatus(document)
        else {
            throw Refusal("the answer of sluiced is not its status; do the versions fit together?")
        }
        if let name { try find(name, in: status) }
        if json {
            Output.data(text(document, answer.body, name))
        } else {
            let report = StatusReport(
                status: status, name: name, width: Output.width,
                colours: Output.hasColours(STDOUT_FILENO))
            report.lines.forEach(Output.data)
        }
        return status.troubles(of: name).contains(where: \.isFailing) ? .failed : .success
    }

    private static func find(_ name: String, in status: DaemonStatus) throws(Refusal) {
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
