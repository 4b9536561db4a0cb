import Model
import Synchronization

/// A claimed event file while this process works on it.
///
/// `holds` counts what still needs it: being read, its rejects, and every batch with an event of it that is not yet
/// sealed. At zero it leaves `active/`.
final class EventFile: Sendable {
    let name: ActiveName
    /// By the spool clock: when this process took it, so never before it was accepted.
    let acceptedClock: Duration
    private let holds = Atomic<Int>(1)

    init(_ name: ActiveName, clock: Duration) {
        self.name = name
        acceptedClock = clock
    }

    func hold() {
        holds.add(1, ordering: .relaxed)
    }

    /// Something still needs it.
    var isHeld: Bool { holds.load(ordering: .acquiring) > 0 }

    /// Gives one hold back; true where it was the last one.
    func release() -> Bool {
        holds.subtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }
}

/// An event file that was read to its end.
struct ReadFile: Sendable {
    var file: EventFile
    var end: EventFileEnd
    var hasRejects: Bool
}

/// What is to become of an event file once nothing needs it any more.
struct EventFileEnd: Sendable, Equatable {
    /// nil: every event in it went its way, and it is unlinked. Otherwise it is kept in quarantine, for this reason.
    var kept: String?
    /// Of a file that is kept: where what was not taken begins in its text. nil: it was read to its end, or nobody can
    /// say, so it is not to be read again.
    var keptFrom: UInt64?
    /// At least one of its lines is a JSON object.
    var sawEvent = false
    /// Events routed, and lines refused into the file's `.rejects`.
    var events = 0
    var refused = 0
    /// Events that nobody wants, where `unmatched` says to discard them.
    var discarded = 0
    var ignored: [IgnoredMembers] = []
    /// What is wrong with the first refused line.
    var firstRefusal: String?
    var firstRefusedLine: Int?
}
