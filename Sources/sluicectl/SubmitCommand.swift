import ArgumentParser
import Configuration
import Digest
import Files
import Glibc
import Model

/// `sluicectl submit`: copies files into the spool, each whole or not at all.
struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Puts files into the spool.",
        discussion: """
            The files are copied and stay where they are. sluiced sees each of them only when it is \
            complete, and never one in place of another. Without --connector, each event says \
            which connector it is for, or the connectors' "events" patterns do.

            A connector of kind "data-export" takes any file as it is. For each, the address of its \
            object is printed. --as says what the object is called, with slashes; with one at its \
            end, it is what stands before the names of the files.

            With --wait it ends when all objects are there. A connector in trouble is waited for, and \
            named. Ctrl-C ends the waiting; what is in the spool is delivered all the same.

            Examples:
              sluicectl submit events.jsonl
              sluicectl submit --connector orders monday.jsonl.gz tuesday.jsonl.gz
              app --export | sluicectl submit --connector orders -
              sluicectl submit --connector reports --as 2026/11/ users.csv orders.csv
              sluicectl submit --connector reports --wait report.csv

            Exit status: 0 where all files are in the spool, 1 where one is not, 64 for a name that \
            cannot be taken, 75 where there is no spool or no space in it, 77 where you may not \
            write there. With --wait, 0 where all objects are there, 1 where a file was refused, and \
            75 where it cannot be waited for, its time is over or sluiced does not answer.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp("The connector that all files are for.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String?

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "What the object is called: 2026/11/report.csv, or 2026/11/ for several files.",
            valueName: "name"))
    var asked: String?

    @Flag(help: "Wait until all objects are in the bucket.")
    var wait = false

    @Option(
        help: ArgumentHelp("Wait no longer than this: 90s, 5m, 1h30m.", valueName: "duration"))
    var timeout: String?

    @Argument(
        help: ArgumentHelp(
            "Files; - reads stdin. Event files end in .jsonl, .ndjson or .json, each also with .gz.",
            valueName: "file"),
        completion: .file())
    var files: [String]

    func validate() throws {
        if asked != nil, connector == nil {
            throw ValidationError("--as names objects of a connector: say --connector, too")
        }
        if let asked, files.count > 1, !asked.hasSuffix("/") {
            throw ValidationError("several files cannot have one name: end --as with a slash")
        }
        if wait, connector == nil {
            throw ValidationError("--wait is for files of a connector: say --connector, too")
        }
        if timeout != nil, !wait { throw ValidationError("--timeout says how long to --wait") }
        if let timeout, Duration(text: timeout).map({ $0 <= .zero }) ?? true {
            throw ValidationError("--timeout \"\(timeout)\" is no duration; write 90s, 5m or 1h30m")
        }
        if files.count(where: { $0 == "-" }) > 1 {
            throw ValidationError("stdin can be submitted once: give one \"-\" only")
        }
    }

    func run() throws {
        let outline = try options.loadOutline()
        let (target, incoming, names): (SubmitTarget, Incoming, [IncomingName])
        do throws(Refusal) {
            let connector = try connector.map { name throws(Refusal) in
                try Self.connector(name, among: outline.connectors)
            }
            target = SubmitTarget.of(connector, beside: options.file)
            if case .events = target { try refuseWhatIsForFiles() }
            names = try checkedNames(target)
            incoming = try Incoming(
                spool: outline.main.settings.spool.directory, connector: connector)
        } catch {
            throw error.show()
        }
        let (exports, worst) = submitAll(names, into: incoming, for: target)
        if wait { waitForAll(exports, worst, target, outline.main.settings.http.listen) }
        if let worst { throw worst }
    }

    /// The names in the spool, before anything is put there.
    private func checkedNames(_ target: SubmitTarget) throws(Refusal) -> [IncomingName] {
        var names: [IncomingName] = []
        var faults: [Refusal] = []
        for file in files {
            do throws(Refusal) { names.append(try target.name(of: file, as: asked)) } catch {
                faults.append(error)
            }
        }
        guard let last = faults.popLast() else { return names }
        for fault in faults { _ = fault.show() }
        if files.count > 1 { Output.error("nothing was submitted") }
        throw last
    }

    private func refuseWhatIsForFiles() throws(Refusal) {
        guard let option = asked != nil ? "--as" : wait ? "--wait" : nil else { return }
        let advice = wait ? "; \"sluicectl drain\" waits for events" : ""
        throw Refusal(
            "connector \(connector ?? "") takes events, and \(option) is for connectors of kind "
                + "\"data-export\"\(advice)", .validationFailure)
    }

    /// Puts all files there, and says so; those that can be waited for, and how the command ends without waiting.
    private func submitAll(
        _ names: [IncomingName], into incoming: Incoming, for target: SubmitTarget
    ) -> (exports: [SubmittedExport], worst: ExitCode?) {
        var incoming = incoming
        incoming.unfinished = Unfinished.removeOnSignal
        var (exports, worst): ([SubmittedExport], ExitCode?) = ([], nil)
        for (file, name) in zip(files, names) {
            do throws(Refusal) {
                let submitted = try Self.submit(file, as: name, into: incoming)
                guard case .export(let path) = name, let address = target.address(name, submitted),
                    let digest = submitted.digest
                else {
                    Output.data(line(file, submitted))
                    continue
                }
                let export = SubmittedExport(
                    name: path, address: address, bytes: submitted.bytes, digest: digest,
                    time: Timestamp(unixSeconds: submitted.modified / 1_000_000_000))
                // Another object may have the key; then it is known later where this one lies.
                if !wait { Output.address(address) }
                exports.append(export)
            } catch {
                worst = worst ?? error.status
                _ = error.show()
            }
        }
        return (exports, worst)
    }

    private func waitForAll(
        _ exports: [SubmittedExport], _ worst: ExitCode?, _ target: SubmitTarget,
        _ listen: [ListenAddress]
    ) {
        guard case .files(let connector) = target else {
            Refusal(
                "what was submitted is safe in the spool, but cannot be waited for: "
                    + "you may not read connectors.d/\(connector ?? "").toml", .tryAgainLater
            ).end()
        }
        guard !exports.isEmpty else { return }
        WaitSession.run(
            exports, of: connector, listen, limit: timeout.flatMap { Duration(text: $0) },
            worst: worst)
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
        _ file: String, as name: IncomingName, into incoming: Incoming
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

    private func line(_ file: String, _ submitted: Incoming.Submitted) -> String {
        let size = Findings.count(submitted.bytes, "byte")
        let place = connector.map { " to connector \($0)" } ?? ""
        let asked = file == "-" ? "stdin" : file.split(separator: "/").last.map(String.init) ?? file
        let other = submitted.name == asked ? "" : " as \(submitted.name)"
        return Output.plain("submitted \(asked) (\(size))\(place)\(other)")
    }
}
