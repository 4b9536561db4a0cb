import Files
import Glibc
import Testing

struct BoundedProcessTests {
    private func run(
        _ script: String, limit: Int = 1 << 16, within time: Duration = .seconds(20)
    ) -> (BoundedProcess.Ending, String) {
        var output: [UInt8] = []
        let ending = BoundedProcess.run(["sh", "-c", script], limit: limit, within: time) {
            output += $0
        }
        return (ending, String(decoding: output, as: UTF8.self))
    }

    @Test("A program's output and its status come back")
    func output() {
        #expect(run("echo a; echo b >&2; exit 3") == (.exited(3), "a\n"))
        #expect(run("cat") == (.exited(0), ""))
        #expect(run("kill -9 $$") == (.killed(signal: SIGKILL), ""))
        #expect(run("head -c 60000 /dev/zero | tr '\\0' x").1.utf8.count == 60_000)
    }

    @Test("A program that cannot be started says why")
    func missing() {
        let ending = BoundedProcess.run(["/no/such/program"], limit: 1, within: .seconds(1)) { _ in
        }
        #expect(ending == .failed(ENOENT))
    }

    @Test("One that takes too long is killed with all that it started")
    func slow() {
        #expect(run("sleep 1000 & sleep 1000", within: .milliseconds(100)) == (.tooSlow, ""))
        // It has closed its output and goes on.
        #expect(run("exec >&-; sleep 1000", within: .milliseconds(100)) == (.tooSlow, ""))
    }

    @Test("One that writes too much is killed")
    func tooMuch() {
        #expect(run("yes", limit: 1000).0 == .tooMuch)
    }

    @Test("Signals that this process ignores do not stay ignored")
    func signals() {
        signal(SIGUSR1, SIG_IGN)
        defer { signal(SIGUSR1, SIG_DFL) }
        #expect(run("kill -USR1 $$; sleep 1; echo ignored") == (.killed(signal: SIGUSR1), ""))
    }
}
