import Files
import Model

/// Claimed files that are not read yet: with a writer, or with a second name, or of a connector that is not in the
/// configuration.
struct UnfinishedFiles {
    /// What the wait for a writer comes to.
    enum Wait {
        case isFinished, waits
        /// Long enough to be told; once for each file.
        case waitsLong
    }

    private struct Entry {
        var name: ClaimingName
        var size: UInt64 = 0
        var modified: Int64 = 0
        /// Since when size and time have stood still, and since when it waits.
        var since = Duration.zero, began = Duration.zero
        var lacksConnector = false
        var isReported = false
    }

    private var entries: [Entry]

    /// Those that an earlier process left.
    init(left: [ClaimingName]) {
        entries = left.sorted { $0.number < $1.number }.map { Entry(name: $0) }
    }

    /// All of them, in their order.
    var names: [ClaimingName] { entries.map(\.name) }

    /// Without those that wait for their connector.
    var count: Int { entries.count { !$0.lacksConnector } }

    func contains(_ name: ClaimingName) -> Bool {
        entries.contains { $0.name == name }
    }

    mutating func remove(_ name: ClaimingName) {
        entries.removeAll { $0.name == name }
    }

    /// False where that was known.
    mutating func noteMissingConnector(_ name: ClaimingName) -> Bool {
        guard let index = entries.firstIndex(where: { $0.name == name }),
            !entries[index].lacksConnector
        else { return false }
        entries[index].lacksConnector = true
        return true
    }

    /// - Parameter now: since any moment, as long as it is always the same.
    mutating func wait(
        for name: ClaimingName, _ status: FileStatus, _ writers: Writers, at now: Duration
    ) -> Wait {
        guard let index = entries.firstIndex(where: { $0.name == name }) else {
            if writers == .none { return .isFinished }
            add(name, status, at: now)
            return .waits
        }
        entries[index].lacksConnector = false
        if writers == .none {
            entries.remove(at: index)
            return .isFinished
        }
        // Told only of one that keeps it open: most are closed the next moment.
        let isLong =
            writers == .some && !entries[index].isReported
            && now - entries[index].began >= Limits.stillness
        if isLong { entries[index].isReported = true }
        if entries[index].size != status.size || entries[index].modified != status.modified {
            entries[index].size = status.size
            entries[index].modified = status.modified
            entries[index].since = now
        }
        guard writers == .unknown, now - entries[index].since >= Limits.stillness else {
            return isLong ? .waitsLong : .waits
        }
        entries.remove(at: index)
        return .isFinished
    }

    /// Whether the file's second name may still go.
    mutating func waitForUnlink(
        of name: ClaimingName, _ status: FileStatus, at now: Duration
    ) -> Bool {
        if let index = entries.firstIndex(where: { $0.name == name }) {
            entries[index].lacksConnector = false
            return now - entries[index].began < Limits.unlinking
        }
        add(name, status, at: now)
        return true
    }

    private mutating func add(_ name: ClaimingName, _ status: FileStatus, at now: Duration) {
        entries.append(
            Entry(name: name, size: status.size, modified: status.modified, since: now, began: now))
    }
}
