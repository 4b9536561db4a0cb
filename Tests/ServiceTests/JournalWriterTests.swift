import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Systemd

@Suite struct JournalWriterTests {
    @Test("Lines are written in the order in which they were sent")
    func order() {
        let output = Recorder(open: true)
        let writer = output.writer(capacity: 100)
        for number in 0..<50 { writer.send(JournalEntry(.started, "\(number)")) }
        #expect(writer.flush(until: .now() + 10))
        #expect(output.messages == (0..<50).map(String.init))
    }

    @Test("While nobody takes lines, senders do not wait, and what finds no room is counted")
    func overflow() {
        let output = Recorder(open: false)
        let writer = output.writer(capacity: 10)
        writer.send(JournalEntry(.started, "first"))
        output.waitUntilBusy()
        for number in 0..<25 { writer.send(JournalEntry(.started, "\(number)")) }
        #expect(!writer.flush(until: .now()))

        output.open()
        #expect(writer.flush(until: .now() + 10))
        let kept = ["first"] + (0..<10).map(String.init)
        #expect(Array(output.messages.dropLast()) == kept)
        #expect(output.messages.last?.hasPrefix("this log lost 15 lines ") == true)

        writer.send(JournalEntry(.started, "after"))
        #expect(writer.flush(until: .now() + 10))
        #expect(output.messages.count == 13 && output.messages.last == "after")
    }

    @Test("A line that the log refuses is counted, and reported as soon as it takes lines again")
    func refused() {
        let output = Recorder(open: true)
        let writer = output.writer(capacity: 10)
        output.refuses = true
        writer.send(JournalEntry(.started, "lost"))
        #expect(writer.flush(until: .now() + 10))
        output.refuses = false
        writer.send(JournalEntry(.started, "kept"))
        #expect(writer.flush(until: .now() + 10))
        #expect(output.messages.first == "kept" && output.messages.count == 2)
        #expect(output.messages.last?.hasPrefix("this log lost 1 line ") == true)
    }

    @Test("Only lines of the level asked for and graver ones are written")
    func threshold() {
        let output = Recorder(open: true)
        let writer = output.writer(capacity: 10, threshold: .warning)
        writer.send(JournalEntry(.objectDelivered, "info"))
        writer.send(JournalEntry(.throttled, "warning"))
        writer.send(JournalEntry(.objectDelivered, "raised", priority: .error))
        writer.threshold = .debug
        writer.send(JournalEntry(.objectDelivered, "debug", priority: .debug))
        #expect(writer.flush(until: .now() + 10))
        #expect(output.messages == ["warning", "raised", "debug"])
    }

    @Test("Standard error is the journal only where JOURNAL_STREAM names that very file")
    func stream() throws {
        var status = stat()
        try #require(fstat(STDERR_FILENO, &status) == 0)
        let (device, inode) = (status.st_dev, status.st_ino)
        #expect(Journal.isStream("\(device):\(inode)", descriptor: STDERR_FILENO))
        for other in ["", ":", "\(device)", "\(device):\(inode + 1)", "\(device):\(inode)0"] {
            #expect(!Journal.isStream(other, descriptor: STDERR_FILENO))
        }
        #expect(!Journal.isStream("\(device):\(inode)", descriptor: -1))
    }
}

/// Stands for the log: it keeps what it is given, once it is open.
private nonisolated final class Recorder: Sendable {
    private struct State {
        var messages: [String] = []
        var refuses = false
    }

    private let state = Mutex(State())
    private let gate: DispatchSemaphore
    private let busy = DispatchSemaphore(value: 0)

    init(open: Bool) {
        gate = DispatchSemaphore(value: 0)
        if open { gate.signal() }
    }

    var messages: [String] { state.withLock { $0.messages } }

    var refuses: Bool {
        get { state.withLock { $0.refuses } }
        set { state.withLock { $0.refuses = newValue } }
    }

    func open() { gate.signal() }

    func waitUntilBusy() { busy.wait() }

    func writer(capacity: Int, threshold: Priority = .debug) -> JournalWriter {
        JournalWriter(threshold: threshold, capacity: capacity) { entry, _ in
            self.busy.signal()
            self.gate.wait()
            self.gate.signal()
            return self.state.withLock { state in
                if state.refuses { return false }
                state.messages.append(entry.message)
                return true
            }
        }
    }
}
