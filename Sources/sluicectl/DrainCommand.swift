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
            It waits for what was accepted before it; producers may go on meanwhile. A connector \
            in trouble is waited for, and named; what only a person can end (a paused connector, \
            an object in conflict) ends it at once. Ctrl-C ends the waiting, and changes nothing.

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

/// One drain: asks, waits, tells how far it is, and ends the program.
@MainActor
private final class DrainSession {
    private let socket: ControlSocket
    private let name: String?
    private let limit: Duration?
    private let began = DispatchTime.now()
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let line = ProgressLine()
    private var progress: DrainProgress?
    private var told: Set<String> = []
    private var saidAt: Double?
    private var pause = 0.1
    private var silentSince: Double?

    /// Closing waits for the files that are being read; a large backlog takes its time.
    private static let sealTimeout = Duration.seconds(600)
    /// A daemon that is restarted is back by then.
    private static let patience = 60.0
    /// Where no terminal shows it all the time.
    private static let secondsBetweenLines = 30.0

    private init(
        _ listen: [ListenAddress], _ name: String?, limit: Duration?
    ) throws(Refusal) {
        socket = try ControlSocket(listen)
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
        if let limit {
            let deadline = began + .milliseconds(Int(clamping: limit.milliseconds))
            DispatchQueue.main.asyncAfter(deadline: deadline) {
                MainActor.assumeIsolated { self.timeIsOver(limit) }
            }
        }
        ask { status throws(Refusal) in
            if let name = self.name { try StatusCommand.find(name, in: status) }
            if let obstacle = DrainProgress.obstacle(in: status, of: self.name) {
                throw Refusal(obstacle, .tryAgainLater)
            }
            self.seal(status)
        }
    }

    private func seal(_ before: DaemonStatus) {
        let target = "/flush" + (name.map { "?connector=\($0)" } ?? "")
        socket.send(.post, target, timeout: Self.sealTimeout) { answer in
            self.orEnd { () throws(Refusal) in
                let answer = try answer.get()
                // One that only holds what was accepted before it left the configuration has nothing open.
                guard answer.status == 200 || answer.status == 404 else { throw answer.refusal }
                self.ask { status throws(Refusal) in
                    self.progress = DrainProgress(self.name, from: before, sealed: status.now)
                    try self.take(status)
                }
            }
        }
    }

    private func take(_ status: DaemonStatus) throws(Refusal) {
        silentSince = nil
        progress?.note(status)
        guard let progress else { return }
        switch progress.state {
        case .stuck(let why):
            throw Refusal(why, .tryAgainLater)
        case .done:
            line.clear()
            Output.data(progress.closing)
            guard progress.lost > 0 else { exit(ExitCode.success.rawValue) }
            throw Refusal(
                "\(Findings.count(progress.lost, "event")) were given up meanwhile; the journal "
                    + "tells each: journalctl -u sluiced -p crit")
        case .going:
            tell(progress)
            askLater()
        }
    }

    // MARK: Asking

    private func ask(_ take: @escaping (DaemonStatus) throws(Refusal) -> Void) {
        socket.send(.get, "/status", timeout: .seconds(10)) { answer in
            self.orEnd { () throws(Refusal) in
                try take(try StatusCommand.read(answer.get()).status)
            }
        }
    }

    private func askLater() {
        DispatchQueue.main.asyncAfter(deadline: .now() + pause) {
            MainActor.assumeIsolated {
                self.socket.send(.get, "/status", timeout: .seconds(10)) { self.answered($0) }
            }
        }
        pause = min(1, pause * 2)
    }

    private func answered(_ answer: Result<ControlSocket.Answer, Refusal>) {
        orEnd { () throws(Refusal) in
            let status: DaemonStatus
            do throws(Refusal) { status = try StatusCommand.read(answer.get()).status } catch {
                let since = self.silentSince ?? self.seconds
                self.silentSince = since
                guard error.status == .tryAgainLater, self.seconds - since < Self.patience else {
                    throw error
                }
                self.say(error.text)
                return self.askLater()
            }
            try self.take(status)
        }
    }

    private func orEnd(_ body: () throws(Refusal) -> Void) {
        do throws(Refusal) { try body() } catch {
            line.clear()
            exit(error.show().rawValue)
        }
    }

    private func timeIsOver(_ limit: Duration) {
        orEnd { () throws(Refusal) in
            let left = progress.map { "; \($0.text(afterSeconds: seconds))" } ?? ""
            throw Refusal("not all was delivered within \(limit.text)\(left)", .tryAgainLater)
        }
    }

    // MARK: Telling

    private func tell(_ progress: DrainProgress) {
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
