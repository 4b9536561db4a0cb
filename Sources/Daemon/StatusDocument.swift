import Files
import Glibc
import Model
import Spool
import Systemd

/// What `GET /status` says.
nonisolated struct StatusDocument: Sendable {
    var now: Timestamp
    var started: Timestamp
    var summary: String
    var spool: SpoolStatus
    /// Those of the configuration, by name.
    var connectors: [ConnectorStatus]
    /// Those that have left it, and for which something is held.
    var orphans: [ConnectorStatus]
    var problems: [RecentProblems.Problem]

    var json: JSONText {
        .object([
            ("version", .string(sluiceVersion)), ("pid", .integer(Int(getpid()))),
            ("started", .string(started.extended)), ("now", .string(now.extended)),
            ("summary", .string(summary)), ("spool", spool.json),
            ("connectors", .array(connectors.map(\.json))),
            ("orphans", .array(orphans.map(\.orphanJSON))),
            ("problems", .array(problems.map(\.json))),
        ])
    }
}

/// How the spool stands, and what intake does.
nonisolated struct SpoolStatus: Sendable {
    var directory: String
    var zone: String
    var partition: Int
    var intake: IntakeState
    var activity: SpoolActivity
    var quarantined: Int
    /// By event type, since the start.
    var ignoredMembers: [String: Int]
    /// Of the file system; nil where it does not say.
    var space: FileSystemSpace?
    var minimumFree: MinimumFree

    /// Free bytes below which intake waits.
    var minimumFreeBytes: UInt64? { space.map { minimumFree.amount(of: $0.totalBytes) } }

    var json: JSONText {
        var members: [(String, JSONText)] = [
            ("directory", .string(directory)), ("zone", .string(zone)),
            ("partition", .integer(partition)), ("intake", .string(intake.word)),
        ]
        if let detail = intake.detail { members.append(("detail", .string(detail))) }
        members += [
            ("active_files", .integer(activity.activeFiles)),
            ("active_bytes", .integer(Int(clamping: activity.activeBytes))),
            ("written_files", .integer(activity.writtenFiles)),
            ("unsealed_batches", .integer(activity.unsealedBatches)),
            ("quarantined", .integer(quarantined)),
        ]
        let ignored = ignoredMembers.sorted { $0.key < $1.key }
        members.append(("ignored_members", .object(ignored.map { ($0.key, .integer($0.value)) })))
        if let space, let minimumFreeBytes {
            members += [
                ("free_bytes", .integer(Int(clamping: space.freeBytes))),
                ("size_bytes", .integer(Int(clamping: space.totalBytes))),
                ("minimum_free_bytes", .integer(Int(clamping: minimumFreeBytes))),
            ]
        }
        return .object(members)
    }
}

extension RecentProblems.Problem {
    nonisolated fileprivate var json: JSONText {
        var members: [(String, JSONText)] = [
            ("time", .string(Timestamp(unixSeconds: Int64(seconds)).extended)),
            ("kind", .string(kind.word)), ("priority", .string(priority.name)),
        ]
        if let connector { members.append(("connector", .string(connector))) }
        members += [("text", .string(text)), ("count", .integer(count))]
        return .object(members)
    }
}
