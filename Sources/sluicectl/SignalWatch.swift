import Dispatch
import Glibc

/// Signals that a session answers itself. What is ignored stays so: nohup(1) asks for it.
@MainActor
final class SignalWatch {
    private var sources: [any DispatchSourceSignal] = []

    /// Returns once they are registered, and so must come before anything that they have to put back: until then a
    /// signal ends the process as if nobody watched.
    init(_ numbers: [CInt], _ handle: @escaping @MainActor @Sendable (CInt) -> Void) {
        // Not the main queue: it is busy with waiting here, and registering goes by the queue of the source.
        let queue = DispatchQueue(label: "sluicectl.signals")
        let registered = DispatchGroup()
        for number in numbers where !Self.isIgnored(number) {
            registered.enter()
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setRegistrationHandler { @Sendable in registered.leave() }
            source.setEventHandler { @Sendable in
                DispatchQueue.main.async { MainActor.assumeIsolated { handle(number) } }
            }
            source.activate()
            sources.append(source)
        }
        registered.wait()
    }

    private static func isIgnored(_ number: CInt) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        // Both are C function pointers or nil, which have the size of a word.
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
            == unsafeBitCast(SIG_IGN, to: UInt.self)
    }

    /// Ends the process by the signal, so that whoever waits for it is told which one it was.
    static func end(by number: CInt) {
        signal(number, SIG_DFL)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, number)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        raise(number)
    }
}
