import ArgumentParser
import Curl
import Dispatch
import Glibc
import Model

/// Waits until files that were submitted are in the bucket, tells meanwhile how far they are, and ends the program.
@MainActor
final class WaitSession {
    private let socket: ControlSocket
    /// Looks at the status meanwhile.
    private let looking: ControlSocket
    private let connector: ConnectorName
    private let limit: Duration?
    private var left: [(number: Int, export: SubmittedExport)]
    private var worst: ExitCode?
    private var progress: UploadProgress
    private let began = DispatchTime.now()
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let line = ProgressLine()
    private var told: Set<String> = []
    private var saidAt: Double?
    private var silentSince: Double?
    private var hasAnswered = false
    private var signals: SignalWatch?

    /// A daemon that is restarted is back by then.
    private static let patience = 60.0
    /// Between two rounds of questions; the first come faster, since most files are small.
    private static let (shortPause, pause, manyRounds) = (0.1, 0.5, 20)
    private var rounds = 0
    /// Where no terminal shows it all the time.
    private static let secondsBetweenLines = 10.0

    private init(
        _ exports: [SubmittedExport], of connector: ConnectorSettings, _ listen: [ListenAddress],
        limit: Duration?, worst: ExitCode?
    ) throws(Refusal) {
        socket = try ControlSocket(listen)
        looking = try ControlSocket(listen)
        self.connector = connector.name
        (self.limit, self.worst) = (limit, worst)
        left = exports.enumerated().map { (number: $0.offset, export: $0.element) }
        progress = UploadProgress(
            bytes: exports.reduce(0) { $0 + $1.bytes }, files: exports.count)
    }

    /// - Parameter worst: what the program ends with if all of these get there.
    nonisolated static func run(
        _ exports: [SubmittedExport], of connector: ConnectorSettings, _ listen: [ListenAddress],
        limit: Duration?, worst: ExitCode?
    ) -> Never {
        MainActor.assumeIsolated {
            do throws(Refusal) {
                try WaitSession(exports, of: connector, listen, limit: limit, worst: worst).begin()
            } catch {
                leave(error, left: exports)
            }
        }
        dispatchMain()
    }

    private var seconds: Double {
        Double(DispatchTime.now().uptimeNanoseconds - began.uptimeNanoseconds) / 1e9
    }

    private func begin() {
        signals = SignalWatch([SIGINT, SIGTERM, SIGHUP]) { [weak self] in self?.end(by: $0) }
        if let limit {
            after(Double(limit.milliseconds) / 1000) {
                let what = "not all is in the bucket after \(limit.text)"
                self.leave(Refusal(what, .tryAgainLater))
            }
        }
        ask(left[...])
        lookLater()
    }

    /// One round: each file that is not there yet, one after the other.
    private func ask(_ rest: ArraySlice<(number: Int, export: SubmittedExport)>) {
        guard let (number, export) = rest.first else { return nextRound() }
        socket.send(.get, export.question(of: connector), timeout: .seconds(60)) { answer in
            do throws(Refusal) {
                guard let answer = try self.unlessGone(answer) else { return self.nextRound() }
                try self.take(answer, number, export)
            } catch {
                self.leave(error)
            }
            self.ask(rest.dropFirst())
        }
    }

    private func nextRound() {
        guard !left.isEmpty else {
            line.clear()
            exit((worst ?? .success).rawValue)
        }
        show()
        rounds += 1
        after(rounds < Self.manyRounds ? Self.shortPause : Self.pause) { self.ask(self.left[...]) }
    }

    /// nil while the daemon may be back before long; the refusal where it never was there, or is away for too long.
    private func unlessGone(
        _ answer: Result<ControlSocket.Answer, Refusal>
    ) throws(Refusal) -> ControlSocket.Answer? {
        do throws(Refusal) {
            let answer = try answer.get()
            (silentSince, hasAnswered) = (nil, true)
            return answer
        } catch {
            let since = silentSince ?? seconds
            silentSince = since
            guard hasAnswered, error.status == .tryAgainLater, seconds - since < Self.patience
            else { throw error }
            say(error.text)
            return nil
        }
    }

    private func take(
        _ answer: ControlSocket.Answer, _ number: Int, _ export: SubmittedExport
    ) throws(Refusal) {
        // It has just started, or stops and is back before long.
        if answer.status == 503 { return say(answer.refusal.text) }
        guard answer.status == 200 else { throw answer.refusal }
        guard let document = try? JSONReader.read(answer.body),
            let outcome = export.progress(document)
        else { throw Refusal("sluiced says nothing that this sluicectl understands", .failed) }
        switch outcome {
        case .stored(let address):
            line.clear()
            Output.address(address)
            progress.noteStored(number, bytes: export.bytes)
            left.removeAll { $0.number == number }
        case .uploading(let sent):
            progress.note(number, sent: sent, atSeconds: seconds)
        case .waiting(let why):
            if let why { say(why) }
        case .refused(let why):
            line.clear()
            worst = Refusal("\(export.name.path): \(why)").show()
            left.removeAll { $0.number == number }
        }
    }

    // MARK: Telling

    private func show() {
        guard progress.done > 0 || isTerminal else { return }
        var look = Look()
        (look.width, look.isUnicode) = (Output.errorWidth, Output.isUnicode)
        let text = progress.text(atSeconds: seconds, look: look)
        if isTerminal {
            line.show { text }
        } else if seconds - (saidAt ?? 0) >= Self.secondsBetweenLines {
            saidAt = seconds
            Output.error(text)
        }
    }

    /// What the connector and the spool are in trouble with, as long as it lasts.
    private func lookLater() {
        after(1) {
            self.looking.send(.get, "/status", timeout: .seconds(10)) { answer in
                if let answer = try? answer.get(),
                    let status = try? StatusCommand.read(answer).status
                {
                    let name = self.connector.description
                    for trouble in status.troubles(of: name)
                    where trouble.isFailing || status.isPaused(name) {
                        self.say("waiting for \(trouble.subject): \(trouble.text)")
                    }
                }
                self.lookLater()
            }
        }
    }

    /// Once, though a text goes on counting the time.
    private func say(_ text: String) {
        guard told.insert(String(text.prefix { !$0.isNumber })).inserted else { return }
        line.clear()
        Output.error(Output.plain(text))
    }

    // MARK: Ending

    private func leave(_ refusal: Refusal) -> Never {
        line.clear()
        Self.leave(refusal, left: left.map(\.export))
    }

    /// The files are the spool's: whoever waits for them no more has to know that.
    private static func leave(_ refusal: Refusal, left: [SubmittedExport]) -> Never {
        _ = refusal.show()
        Output.error(Output.plain(inSpool(left)))
        exit((refusal.status == .failed ? .failed : ExitCode.tryAgainLater).rawValue)
    }

    private static func inSpool(_ left: [SubmittedExport]) -> String {
        let address = left.count == 1 ? left.first.map { " at \($0.address)" } ?? "" : ""
        let files = left.count == 1 ? "the file is" : "\(left.count) files are"
        return "\(files) safe in the spool, and will be\(address) when sluiced has delivered "
            + (left.count == 1 ? "it" : "them")
    }

    private func end(by number: CInt) {
        line.clear()
        Output.error(Output.plain(Self.inSpool(left.map(\.export))))
        SignalWatch.end(by: number)
    }

    private func after(_ seconds: Double, _ body: @escaping @MainActor () -> Void) {
        DispatchQueue.main.asyncAfter(deadline: .now() + seconds) {
            MainActor.assumeIsolated { body() }
        }
    }
}

extension DaemonStatus {
    fileprivate func isPaused(_ connector: String) -> Bool {
        connectors.contains { $0.name == connector && $0.state == .paused }
    }
}
