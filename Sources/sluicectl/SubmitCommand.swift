import ArgumentParser
import Configuration
import Files
import Glibc
import Model

/// `sluicectl submit`: copies files into the spool, each whole or not at all.
struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Puts event files into the spool.",
        discussion: """
            The files are copied and stay where they are. sluiced sees each of them only when it is \
            complete, and never one in place of another. Without --connector, each event says \
            which connector it is for, or the connectors' "events" patterns do.

            Examples:
              sluicectl submit events.jsonl
              sluicectl submit --connector orders monday.jsonl.gz tuesday.jsonl.gz
              app --export | sluicectl submit --connector orders -

            Exit status: 0 where all files are in the spool, 1 where one is not, 64 for a name that \
            is no event file's, 75 where there is no spool or no space in it, 77 where you may not \
            write there.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp("The connector that all events are for.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String?

    @Argument(
        help: ArgumentHelp(
            "Event files: .jsonl, .ndjson, .json, each also with .gz; - reads JSON Lines from stdin.",
            valueName: "file"),
        completion: .file())
    var files: [String]

    func run() throws {
        let names = try checkedNames()
        let outline = try options.loadOutline()
        var incoming: Incoming
        do throws(Refusal) {
            let connector = try connector.map { name throws(Refusal) in
                try Self.connector(name, among: outline.connectors)
            }
            incoming = try Incoming(
                spool: outline.main.settings.spool.directory, connector: connector)
            incoming.unfinished = Unfinished.removeOnSignal
        } catch {
            throw error.show()
        }
        var worst: ExitCode?
        for (file, name) in zip(files, names) {
            do throws(Refusal) {
                let submitted = try Self.submit(file, as: name, into: incoming)
                Output.data(line(file, name, submitted))
            } catch {
                worst = worst ?? error.status
                _ = error.show()
            }
        }
        if let worst { throw worst }
    }

    /// The names in the spool, before anything is put there.
    private func checkedNames() throws -> [EventFileName] {
        var names: [EventFileName] = []
        for file in files {
            if let name = file == "-" ? Self.nameOfInput : EventFileName(ofPath: file) {
                names.append(name)
            } else {
                _ = Refusal("\(file): \(EventFileName.rule)").show()
            }
        }
        if files.count(where: { $0 == "-" }) > 1 {
            throw ValidationError("stdin can be submitted once: give one \"-\" only")
        }
        guard names.count == files.count else {
            if files.count > 1 { Output.error("nothing was submitted") }
            throw ExitCode.validationFailure
        }
        return names
    }

    private static var nameOfInput: EventFileName? {
        let now = Timestamp(unixSeconds: Int64(time(nil)))
        return EventFileName(ofPath: "stdin-\(now.basic)-\(getpid()).jsonl")
    }

    static func connector(
        _ name: String, among known: [ConnectorName]?
    ) throws(Refusal) -> ConnectorName {
        // Where the names may not be listed, the spool's directories tell.
        if let connector = ConnectorName(name), known?.contains(connector) ?? true {
            return connector
        }
        throw unknown(name, known)
    }

    static func unknown(_ name: String, _ known: [ConnectorName]?) -> Refusal {
        Refusal(
            "there is no connector \"\(name)\"; " + knownNames((known ?? []).map(\.description)))
    }

    static func knownNames(_ names: [String]) -> String {
        names.isEmpty ? "none is configured" : "there are: \(names.joined(separator: ", "))"
    }

    private static func submit(
        _ file: String, as name: EventFileName, into incoming: Incoming
    ) throws(Refusal) -> Incoming.Submitted {
        if file == "-" {
            return try incoming.submit(
                .init(shown: "stdin", descriptor: STDIN_FILENO, name: name))
        }
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            throw Refusal(
                "\(file): \(errorText(code))", code == EACCES ? .noPermission : .failed)
        }
        defer { close(descriptor) }
        return try incoming.submit(.init(shown: file, descriptor: descriptor, name: name))
    }

    private func line(
        _ file: String, _ name: EventFileName, _ submitted: Incoming.Submitted
    ) -> String {
        let size = Findings.count(submitted.bytes, "byte")
        let place = connector.map { " to connector \($0)" } ?? ""
        let asked = file == "-" ? "stdin" : file.split(separator: "/").last.map(String.init) ?? file
        let other = submitted.name == asked ? "" : " as \(submitted.name)"
        return Output.plain("submitted \(asked) (\(size))\(place)\(other)")
    }
}
