import Glibc
import Testing

@testable import sluicectl

@Suite("A file that is being written when a signal comes")
struct UnfinishedTests {
    private let directory = SpoolDirectory()

    @Test("It is removed, and the signal ends the program", arguments: [SIGINT, SIGTERM, SIGHUP])
    func removed(number: CInt) async {
        let file = directory.write("half", to: "spool/incoming/.events.jsonl.1.tmp")
        let other = directory.write("whole", to: "spool/incoming/events.jsonl")
        await #expect(processExitsWith: .signal(number)) {
            [file = file as String, other = other as String, number = number as CInt] in
            // Whoever started the tests may have them ignored, which would stay so.
            signal(number, SIG_DFL)
            Unfinished.removeOnSignal(other)
            Unfinished.removeOnSignal(nil)
            Unfinished.removeOnSignal(file)
            raiseHere(number)
        }
        #expect(directory.names(in: "spool/incoming") == ["events.jsonl", "orders"])
    }

    @Test("A signal that was ignored stays so, as nohup asks for")
    func ignored() async {
        await #expect(processExitsWith: .exitCode(7)) {
            signal(SIGHUP, SIG_IGN)
            Unfinished.removeOnSignal(nil)
            raiseHere(SIGHUP)
            exit(7)
        }
    }
}

/// Sends a signal to this thread, which is one of those of a pool that block all signals.
private func raiseHere(_ number: CInt) {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, number)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    raise(number)
}
