import Model
import Spool
import Systemd

/// The lines about intake: what was refused, and why it waits.
extension Reporter {
    func refused(_ refusal: FileRefusal) {
        switch refusal.fate {
        case .quarantined(let path):
            say(
                .fileQuarantined,
                "file \(refusal.file) is kept as \(path): \(refusal.reason)",
                [.file(refusal.file)])
        case .left:
            say(
                .fileUnreadable, "file \(refusal.file) is left where it is: \(refusal.reason)",
                [.file(refusal.file)])
        case .waits:
            say(
                .fileWaiting, "file \(refusal.file) waits: \(refusal.reason)", [.file(refusal.file)]
            )
        }
    }

    func refused(_ refusal: EventsRefusal) {
        say(
            .eventsQuarantined,
            "file \(refusal.file): \(count(refusal.refused, "line")) refused, "
                + "\(count(refusal.accepted, "event")) taken; the first is line "
                + "\(refusal.firstLine): \(refusal.firstReason); see \(refusal.path)",
            [
                .file(refusal.file), .line(refusal.firstLine), .events(refusal.refused),
            ])
    }

    func discarded(_ events: Int, file: String) {
        say(
            .eventsQuarantined,
            "file \(file): \(count(events, "event")) that no connector wants dropped, as unmatched "
                + "= \"discard\" says", [.file(file), .events(events)], priority: .info)
    }

    func ignored(_ members: IgnoredMembers, file: String) {
        say(
            .membersIgnored,
            "file \(file): the schema of \(members.eventType) has no field for "
                + "\(count(members.count, "member")) of its events, which "
                + "\(members.count == 1 ? "is" : "are") not delivered; the first is "
                + "\"\(members.first)\"; said once for each event type, and counted in status",
            [.file(file), .eventType(members.eventType)])
    }

    func waiting(_ explanation: String) {
        say(.intakeWaiting, "intake waits: \(explanation)")
    }

    func waiting(_ connector: ConnectorName, held: ByteCount, most: ByteCount) {
        say(
            .intakeWaiting,
            "connector \(connector) holds \(held), and its max_held is \(most): files in "
                + "incoming/\(connector)/ wait until it has delivered some; nothing is lost",
            [.connector(connector.description), .bytes(held.bytes)], priority: .warning)
    }

    func resumed(_ connector: ConnectorName) {
        say(
            .intakeResumed,
            "files in incoming/\(connector)/ are taken again: connector \(connector) holds less "
                + "than its max_held", [.connector(connector.description)])
    }
}

extension IntakeObstacle {
    /// Whether it is the same trouble as before, whatever its figures are by now: those change all the time.
    func isAlike(_ other: IntakeObstacle?) -> Bool {
        switch (self, other) {
        case (.diskNearlyFull, .diskNearlyFull), (.inodesNearlyGone, .inodesNearlyGone),
            (.clockTooEarly, .clockTooEarly), (.clockBehind, .clockBehind):
            true
        default:
            false
        }
    }

    func explanation(
        spool: String, backlog: (connector: ConnectorName, bytes: UInt64)?
    ) -> String {
        let holder =
            backlog.map { "; connector \($0.connector), in trouble, holds \(ByteCount($0.bytes))" }
            ?? ""
        return switch self {
        case .diskNearlyFull(let free, let least):
            "the disk of the spool \(spool) has \(free) free, less than minimum_free "
                + "(\(least))\(holder); nothing is lost; files are taken as far as deliveries make "
                + "room, the others wait in incoming/"
        case .inodesNearlyGone(let free, let least):
            "the disk of the spool \(spool) has \(free) inodes free, less than \(least)\(holder); "
                + "nothing is lost; files are taken as far as deliveries make room, the others wait "
                + "in incoming/"
        case .clockTooEarly(let now):
            "the clock says \(now.extended), which cannot be right; set it, for the hour becomes "
                + "part of object keys"
        case .clockBehind(let now, let newest):
            "the clock says \(now.extended), more than a day before the newest events in the spool "
                + "(\(newest)); set it, for the hour becomes part of object keys"
        }
    }
}
