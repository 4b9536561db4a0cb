import ArgumentParser
import Configuration
import Curl
import Model

/// `sluicectl pause`: has the daemon send nothing for a connector.
struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stops sending for a connector, without losing anything.",
        discussion: """
            Its events are accepted, and wait, until "sluicectl resume", over restarts too. While \
            it is paused none of them is given up, however long that takes. What is being sent at \
            the moment is finished.

            Exit status: 0 where it is paused, 1 where there is no such connector, 75 where \
            sluiced does not answer, 77 where you may not ask it.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Argument(
        help: ArgumentHelp("The connector.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String

    func run() throws {
        try Pausing.ask(options, connector, isPaused: true)
    }
}

/// `sluicectl resume`: ends a pause.
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Sends for a paused connector again.",
        discussion: """
            Exit status: 0 where it sends again, 1 where there is no such connector, 75 where \
            sluiced does not answer, 77 where you may not ask it.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Argument(
        help: ArgumentHelp("The connector.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String

    func run() throws {
        try Pausing.ask(options, connector, isPaused: false)
    }
}

enum Pausing {
    fileprivate static func ask(
        _ options: ConfigurationOptions, _ connector: String, isPaused: Bool
    ) throws -> Never {
        let outline = try options.loadOutline()
        guard let name = ConnectorName(connector) else {
            throw SubmitCommand.unknown(connector, outline.connectors).show()
        }
        let target = "/\(isPaused ? "pause" : "resume")?connector=\(name)"
        let listen = outline.main.settings.http.listen
        ControlSocket.ask(listen, .post, target, timeout: .seconds(10)) { answer in
            do throws(Refusal) {
                Output.data(try sentence(name, answer, isPaused: isPaused))
                return .success
            } catch {
                return error.show()
            }
        }
    }

    /// What the answer says; a refusal where it is not what was asked for.
    static func sentence(
        _ name: ConnectorName, _ answer: ControlSocket.Answer, isPaused: Bool
    ) throws(Refusal) -> String {
        guard answer.status == 200 else { throw answer.refusal }
        guard let document = try? JSONReader.read(answer.body),
            case .boolean(isPaused)? = document["paused"]
        else { throw .unknownAnswer }
        return isPaused
            ? "connector \(name) is paused; \"sluicectl resume \(name)\" ends it"
            : "connector \(name) sends"
    }
}
