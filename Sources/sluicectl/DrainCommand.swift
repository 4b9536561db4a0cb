import ArgumentParser
import Configuration
import Curl
import Dispatch
import Glibc
import Model

/// `sluicectl drain`: has the daemon close the batches that are open, and waits until they are delivered.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Closes open batches, and waits until all is delivered.",
        discussion: """
            It waits for what lay in incoming/ or was accepted before it; producers may go on \
            meanwhile. A connector in trouble is waited for, and named; what only a person can end \
            (a paused connector, an object in conflict) ends it at once. Ctrl-C ends the waiting, \
            and changes nothing.

            Examples:
              sluicectl drain
              sluicectl drain orders --timeout 10m

            Exit status: 0 where all is delivered, 1 where there is no such connector or some was \
            given up meanwhile, 75 where it cannot end now, its time is over or sluiced does not \
            answer, 77 where you may not ask it.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp("Wait no longer than this: 90s, 5m, 1h30m.", valueName: "duration"))
    var timeout: String?

    @Argument(
        help: ArgumentHelp("Wait for this connector only.", valueName: "connector"),
        completion: Completions.connectors)
    var connector: String?

    func run() throws {
        var limit: Duration?
        if let timeout {
            guard let duration = Duration(text: timeout), duration > .zero else {
                throw Refusal(
                    "--timeout \"\(timeout)\" is no duration; write 90s, 5m or 1h30m",
                    .validationFailure
                ).show()
            }
            limit = duration
        }
        let outline = try options.loadOutline()
        if let connector, ConnectorName(connector) == nil {
            throw SubmitCommand.unknown(connector, outline.connectors).show()
        }
        DrainSession.run(outline.main.settings.http.listen, connector, limit: limit)
    }
}

/// One drain: has the daemon say when all is delivered, tells meanwhile how far it is, and ends the program.
@MainActor
private final class DrainSession {
    /// Waits for the one answer.
    private let waiting: ControlSocket
    /// Looks at the status meanwhile.
    private let looking: ControlSocket
    private let name: String?
    private let limit: Duration?
    private let began = DispatchTime.now()
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let line = ProgressLine()
    private var progress: DrainProgress?
    private var told: Set<String> = []
    private var saidAt: Double?
    private var silentSince: Double?

    /// Whoever has no limit waits as long as it takes.
    private static let longest = Duration.seconds(365 * 86_400)
    /// A daemon that is restarted is back by then.
    private static let patience = 60.0
    /// Where no terminal shows it all the time.
    private static let secondsBetweenLines = 30.0

    private init(
        _ listen: [ListenAddress], _ name: String?, limit: Duration?
    ) throws(Refusal) {
        waiting = try ControlSocket(listen)
        looking = try ControlSocket(listen)
        (self.name, self.limit) = (name, limit)
    }

    nonisolated static func run(
        _ listen: [ListenAddress], _ name: String?, limit: Duration?
    ) -> Never {
        MainActor.assumeIsolated {
            do throws(Refusal) { try DrainSession(listen, name, limit: limit).begin() } catch {
                exit(error.show().rawValue)
            }
        }
        dispatchMain()
    }

    private var seconds: Double {
        Double(DispatchTime.now().uptimeNanoseconds - began.uptimeNanoseconds) / 1e9
    }

    private func begin() {
        if let limit { after(Double(limit.milliseconds) / 1000) { self.timeIsOver(limit) } }
        look(looking) { status throws(Refusal) in
            if let name = self.name { try StatusCommand.find(name, in: status) }
            self.progress = DrainProgress(self.name, from: status)
            self.drain()
            self.lookLater()
        }
    }

    private func drain() {
        let target = "/drain" + (name.map { "?connector=\($0)" } ?? "")
        waiting.send(.post, target, timeout: Self.longest) { answer in
            self.orEnd { () throws(Refusal) in
                guard let answer = try self.unlessGone(answer) else {
                    return self.after(1) { self.drain() }
                }
                switch answer.status {
                case 200: self.look(self.waiting) { status throws(Refusal) in try self.end(status) }
                case 503: self.after(1) { self.drainAgain(answer.refusal) }
                // It cannot end before somebody does something.
                case 409: throw Refusal("sluiced: \(answer.sentence)", .tryAgainLater)
                default: throw answer.refusal
                }
            }
        }
    }

    /// Asks once more, unless intake has failed: a daemon that stops refuses too, and is back before long.
    private func drainAgain(_ refusal: Refusal) {
        waiting.send(.get, "/status", timeout: .seconds(10)) { answer in
            self.orEnd { () throws(Refusal) in
                guard let answer = try self.unlessGone(answer) else {
                    return self.after(1) { self.drainAgain(refusal) }
                }
                if try StatusCommand.read(answer).status.intake == "failed" { throw refusal }
                self.say(refusal.text)
                self.drain()
            }
        }
    }

    /// nil while the daemon may be back before long; the refusal once that took too long.
    private func unlessGone(
        _ answer: Result<ControlSocket.Answer, Refusal>
    ) throws(Refusal) -> ControlSocket.Answer? {
        do throws(Refusal) { return try answer.get() } catch {
            let since = silentSince ?? seconds
            silentSince = since
            guard error.status == .tryAgainLater, seconds - since < Self.patience else {
                throw error
            }
            say(error.text)
            return nil
        }
    }

    private func end(_ status: DaemonStatus) throws(Refusal) {
        progress?.note(status)
        guard let progress else { return }
        line.clear()
        Output.data(progress.closing)
        guard progress.lost > 0 else { exit(ExitCode.success.rawValue) }
        throw Refusal(
            "\(Findings.count(progress.lost, "event")) given up meanwhile; the journal tells each: "
                + "journalctl -u sluiced -p crit")
    }

    private func timeIsOver(_ limit: Duration) {
        orEnd { () throws(Refusal) in
            let left = progress.map { "; \($0.text(afterSeconds: seconds))" } ?? ""
            throw Refusal("not all was delivered within \(limit.text)\(left)", .tryAgainLater)
        }
    }

    // MARK: Looking

    /// - Parameter socket: one that has no other question open.
    private func look(
        _ socket: ControlSocket, _ take: @escaping (DaemonStatus) throws(Refusal) -> Void
    ) {
        socket.send(.get, "/status", timeout: .seconds(10)) { answer in
            self.orEnd { () throws(Refusal) in
                try take(try StatusCommand.read(answer.get()).status)
            }
        }
    }

    /// Whether the daemon is gone, the other question says.
    private func lookLater() {
        after(1) {
            self.looking.send(.get, "/status", timeout: .seconds(10)) { answer in
                if let answer = try? answer.get(),
                    let status = try? StatusCommand.read(answer).status
                {
                    self.silentSince = nil
                    self.tell(status)
                }
                self.lookLater()
            }
        }
    }

    private func after(_ seconds: Double, _ body: @escaping @MainActor () -> Void) {
        DispatchQueue.main.asyncAfter(deadline: .now() + seconds) {
            MainActor.assumeIsolated { body() }
        }
    }

    private func orEnd(_ body: () throws(Refusal) -> Void) {
        do throws(Refusal) { try body() } catch {
            line.clear()
            exit(error.show().rawValue)
        }
    }

    // MARK: Telling

    private func tell(_ status: DaemonStatus) {
        progress?.note(status)
        guard let progress else { return }
        for trouble in progress.troubles { say("\(trouble.subject): \(trouble.text)", as: trouble) }
        let text = progress.text(afterSeconds: seconds)
        if isTerminal {
            line.show { text }
        } else if seconds - (saidAt ?? -.infinity) >= Self.secondsBetweenLines {
            saidAt = seconds
            Output.error(text)
        }
    }

    /// Once for each trouble, though its text goes on counting the time.
    private func say(_ text: String, as trouble: Trouble? = nil) {
        let kind = trouble.map { "\($0.subject) \($0.text.prefix { !$0.isNumber })" } ?? text
        guard told.insert(kind).inserted else { return }
        line.clear()
        Output.error(Output.plain(text))
    }
}
