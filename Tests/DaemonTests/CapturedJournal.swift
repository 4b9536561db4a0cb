import Dispatch
import Synchronization

@testable import Systemd

/// What the daemon writes, each line with the minute of virtual time in which it was written.
nonisolated final class CapturedJournal: Sendable {
    struct Line {
        var minute: Int
        var entry: JournalEntry

        func number(_ name: JournalField.Name) -> Int {
            entry.fields.first { $0.name == name }
                .flatMap { Int(String(decoding: $0.value, as: UTF8.self)) } ?? 0
        }
    }

    private let captured = Mutex<[Line]>([])
    private let writer: Mutex<JournalWriter?> = Mutex(nil)

    var lines: [Line] { captured.withLock { $0 } }

    func lines(_ kind: MessageKind) -> [Line] { lines.filter { $0.entry.kind == kind } }

    func makeWriter(_ time: VirtualTime) -> JournalWriter {
        let made = JournalWriter(threshold: .info, capacity: 10_000) { [self] entry, _ in
            captured.withLock { $0.append(Line(minute: time.minutes, entry: entry)) }
            return true
        }
        writer.withLock { $0 = made }
        return made
    }

    /// Waits for what was said so far, so that it gets the right minute.
    func catchUp() {
        _ = writer.withLock { $0 }?.flush(until: .now() + 10)
    }
}
