import ArgumentParser
import Curl
import Dispatch
import Glibc
import Model

/// `sluicectl status --watch`: asks the daemon again and again, and draws what it says until somebody ends it.
///
/// The first answer decides whether there is anything to be drawn; later the daemon may go and come. However it
/// ends, the terminal is as it was.
@MainActor
final class WatchSession {
    private let socket: ControlSocket
    private let seconds: Int
    private let name: String?
    private var look: Look
    private var screen = LiveScreen()
    private var view: WatchView?
    private var throughput = Throughput()
    private var signals: SignalWatch?
    private var terminal: (any DispatchSourceRead)?
    private var typed: [UInt8] = []

    /// An answer that takes longer is none.
    private static let timeout = Duration.seconds(5)

    private init(
        _ listen: [ListenAddress], _ name: String?, seconds: Int
    ) throws(Refusal) {
        socket = try ControlSocket(listen)
        (self.name, self.seconds) = (name, seconds)
        look = .ofOutput
    }

    /// Must be called on the main thread, as commands are; never returns.
    nonisolated static func run(
        _ listen: [ListenAddress], _ name: String?, seconds: Int
    ) -> Never {
        MainActor.assumeIsolated {
            do throws(Refusal) { try WatchSession(listen, name, seconds: seconds).begin() } catch {
                exit(error.show().rawValue)
            }
        }
        dispatchMain()
    }

    // MARK: Asking

    private func begin() {
        let numbers = [SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH]
        signals = SignalWatch(numbers) { [weak self] in self?.handle($0) }
        socket.send(.get, "/status", timeout: Self.timeout) { answer in
            do throws(Refusal) {
                let status = try StatusCommand.read(answer.get()).status
                if let name = self.name { try StatusCommand.find(name, in: status) }
                self.readTerminal()
                self.screen.enter()
                self.show(status)
                self.askForHistory()
            } catch {
                exit(error.show().rawValue)
            }
        }
    }

    /// An older daemon has none; then what is seen here has to do.
    private func askForHistory() {
        socket.send(.get, "/history", timeout: Self.timeout) { answer in
            if case .success(let answer) = answer, answer.status == 200,
                let history = try? JSONReader.read(answer.body)
            {
                self.throughput.seed(history)
                self.draw()
            }
            self.askLater()
        }
    }

    private func askLater() {
        DispatchQueue.main.asyncAfter(deadline: .now() + .seconds(seconds)) {
            MainActor.assumeIsolated { self.ask() }
        }
    }

    private func ask() {
        socket.send(.get, "/status", timeout: Self.timeout) { answer in
            let wasSilent = self.view?.silence != nil
            do throws(Refusal) {
                self.show(try StatusCommand.read(answer.get()).status)
                // What was missed, if the daemon is still the same.
                if wasSilent { return self.askForHistory() }
            } catch {
                self.view?.silence = error.text
                self.draw()
            }
            self.askLater()
        }
    }

    // MARK: Drawing

    private func show(_ status: DaemonStatus) {
        throughput.note(status)
        let scrolled = view?.scrolled ?? 0
        view = WatchView(
            status: status, name: name, throughput: throughput, seconds: seconds,
            scrolled: scrolled, size: screen.size, look: look)
        draw()
    }

    private func draw() {
        guard var view else { return }
        view.size = screen.size
        view.look.width = view.size.columns
        view.throughput = throughput
        let frame = view.frame
        view.scrolled = frame.scrolled
        self.view = view
        screen.draw(frame.lines)
    }

    // MARK: Keys and signals

    private func readTerminal() {
        guard isatty(STDIN_FILENO) == 1 else { return }
        let source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: .main)
        source.setEventHandler { MainActor.assumeIsolated { self.readKeys() } }
        source.activate()
        terminal = source
    }

    private func handle(_ signal: CInt) {
        switch signal {
        case SIGWINCH:
            draw()
        case SIGTSTP:
            screen.leave()
            // The other threads stop soon, not at once, so this one may go on for a moment: SIGCONT takes the screen again.
            kill(getpid(), SIGSTOP)
        case SIGCONT:
            // Nothing is drawn yet.
            guard view != nil else { return }
            // Also where it was stopped by what cannot be caught: a shell may have used the terminal since.
            screen.leave()
            screen.enter()
            draw()
        default:
            screen.leave()
            SignalWatch.end(by: signal)
        }
    }

    private func readKeys() {
        var block = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &block, block.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        // The terminal is gone.
        guard count > 0 else { end() }
        typed += block[..<count]
        for key in WatchKey.read(&typed) { press(key) }
    }

    private func press(_ key: WatchKey) {
        guard view != nil else { return }
        let page = max(1, screen.size.rows - 4)
        switch key {
        case .quit: end()
        case .scroll(let lines): view?.scrolled += lines
        case .page(let pages): view?.scrolled += pages * page
        case .top: view?.scrolled = 0
        case .bottom: view?.scrolled = .max / 2
        }
        draw()
    }

    private func end() -> Never {
        screen.leave()
        exit(ExitCode.success.rawValue)
    }
}
