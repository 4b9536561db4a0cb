import Files
import Model

/// Takes event files from `incoming/` into `active/`, where no producer reaches them.
///
/// What is looked at is what will be read: a file is renamed first and looked at where it then lies, or it is held, by a
/// lease that keeps writers off, from the look until after the rename. A file with a writer or a second name waits as
/// `.claiming-…` until that is gone, and its connector is in the configuration; then its size is fixed by its name.
/// Owned by the storage lane.
struct Claimer {
    /// What one round did.
    struct Round {
        var claimed: [ActiveName] = []
        var refusals: [FileRefusal] = []
        /// Nothing here tells whether a file has writers.
        var lacksLeases = false
        /// There was more than the round may take.
        var hasMore = false
        /// Inodes of the files in `active/`, once somebody asked.
        fileprivate var ours: Set<UInt64>?
        /// Connectors in whose directories nothing was found.
        var empty: [ConnectorName] = []
    }

    /// A directory to claim from: `incoming/` itself, or that of a connector.
    struct Place {
        var connector: ConnectorName?
        /// Bytes after which no further file is claimed there in a round; nil: any number.
        var room: UInt64?

        var directory: String { connector.map(SpoolLayout.incoming) ?? SpoolLayout.incoming }
    }

    private var waiting: UnfinishedFiles
    var rules = ClaimRules()
    /// What was already reported and left: named once, not at each look.
    private var reported: Set<String> = []

    /// Goes on with files that an earlier process was claiming.
    init(left: [ClaimingName]) {
        waiting = UnfinishedFiles(left: left)
    }

    /// Files that a writer or a second name holds back.
    var waitingCount: Int { waiting.count }

    /// Claims up to `limit` files from some of the places; `connectors` are all that have a directory.
    mutating func round(
        _ places: [Place], connectors: [ConnectorName], limit: Int,
        _ numbers: inout SequenceNumbers, _ surroundings: SpoolSurroundings
    ) throws(FileError) -> Round {
        var round = Round()
        try lookAgain(connectors, &numbers, surroundings, &round)
        for place in places {
            try claim(in: place, connectors, limit, &numbers, surroundings, &round)
        }
        return round
    }

    /// Whether anything waits there to be claimed.
    func hasFiles(
        in place: Place, connectors: [ConnectorName], _ surroundings: SpoolSurroundings
    ) throws(FileError) -> Bool {
        guard try isOurs(place, surroundings) else { return false }
        var found = false
        try forEachFile(in: place, connectors, surroundings) { _ in
            found = true
            return false
        }
        return found
    }

    // MARK: Claiming

    private mutating func claim(
        in place: Place, _ connectors: [ConnectorName], _ limit: Int,
        _ numbers: inout SequenceNumbers, _ surroundings: SpoolSurroundings, _ round: inout Round
    ) throws(FileError) {
        guard try isOurs(place, surroundings) else {
            return leave(
                place.directory,
                "it is not the directory that sluiced makes there; remove it and reload", &round)
        }
        var names: [String] = []
        let most = limit - round.claimed.count
        var hasMore = false
        try forEachFile(in: place, connectors, surroundings) { name in
            if names.count >= most {
                hasMore = true
                return false
            }
            names.append(name)
            return true
        }
        if names.isEmpty, !hasMore, let connector = place.connector {
            round.empty.append(connector)
        }
        var left = place.room ?? .max
        for name in names.sorted() {
            let before = round.claimed.count
            try claim(
                "\(place.directory)/\(name)", name, place.connector, &numbers, surroundings, &round)
            if round.claimed.count > before, let size = round.claimed.last?.size {
                left -= min(left, size)
            }
            if left == 0 {
                hasMore = true
                break
            }
        }
        round.hasMore = round.hasMore || hasMore
    }

    /// A producer may have made a connector's directory before sluiced could, or put a link there.
    private func isOurs(
        _ place: Place, _ surroundings: SpoolSurroundings
    ) throws(FileError) -> Bool {
        guard place.connector != nil else { return true }
        let status = try surroundings.files.status(place.directory)
        return status?.kind == .directory && status?.owner == surroundings.files.user
    }

    /// Calls `body` with what waits to be claimed there, until it answers false.
    private func forEachFile(
        in place: Place, _ connectors: [ConnectorName], _ surroundings: SpoolSurroundings,
        _ body: (String) -> Bool
    ) throws(FileError) {
        let directories =
            place.connector == nil ? Set(connectors.lazy.map(\.description)) : []
        try surroundings.files.forEachName(in: place.directory) { name in
            if Self.isLeftAlone(name) || directories.contains(name)
                || !reported.isEmpty
                    && reported.contains(NameEscape.shown(place.connector, NameEscape.escape(name)))
            {
                return true
            }
            return body(name)
        }
    }

    /// Names that producers use while they write.
    private static func isLeftAlone(_ name: String) -> Bool {
        name.hasPrefix(".") || name.hasSuffix(".tmp") || name.hasSuffix(".part")
    }

    private mutating func claim(
        _ path: String, _ name: String, _ connector: ConnectorName?,
        _ numbers: inout SequenceNumbers, _ surroundings: SpoolSurroundings, _ round: inout Round
    ) throws(FileError) {
        let files = surroundings.files
        let (original, fault) = rules.original(name, connector)
        let shown = NameEscape.shown(connector, NameEscape.escape(name))
        let file: any OpenFile
        let status: FileStatus
        let writers: Writers
        do throws(FileError) {
            file = try files.open(path)
            writers = file.holdOffWriters()
            status = try file.status()
        } catch {
            if error.isMissing {
                // Gone again; or a name that is no UTF-8, which cannot be said back to the kernel.
                if name.unicodeScalars.contains("\u{fffd}") {
                    leave(shown, "its name is no valid UTF-8; rename it", &round)
                }
            } else if error.isRefused {
                leave(
                    shown,
                    "sluiced may not read it; let the group read it, or drop it with "
                        + "sluicectl submit", &round)
            } else if error.isDataFault || error.isHeldByLease {
                try claimSlowly(
                    path, original, fault, shown, connector, &numbers, surroundings, &round)
            } else {
                throw error
            }
            return
        }
        if status.kind == .directory {
            return leave(
                shown, "it is a directory of no connector; sluiced makes the directories itself",
                &round)
        }
        guard status.kind == .regular, status.links == 1,
            let kind = rules.kind(original, connector), writers == .none
        else {
            file.letWritersIn()
            return try claimSlowly(
                path, original, fault, shown, connector, &numbers, surroundings, &round)
        }
        // Nobody writes into it, and nobody can begin to, until it lies where no producer reaches it.
        defer { file.letWritersIn() }
        let active = ActiveName(
            number: try numbers.take(files), accepted: surroundings.now(),
            size: status.size, encoding: kind.encoding, connector: connector, original: original,
            contents: kind.contents)
        let claimed = active.path
        guard try move(path, to: claimed, shown, files, &round) else { return }
        let there = try files.status(claimed)
        guard there?.inode == status.inode, there?.links == 1 else {
            // Somebody put another file under the name meanwhile, or made a link: look again where it lies now.
            return try claimSlowly(
                claimed, original, fault, shown, connector, &numbers, surroundings, &round)
        }
        round.claimed.append(active)
    }

    /// Renames first, then looks: for all that is not plainly a file that nobody writes into.
    private mutating func claimSlowly(
        _ path: String, _ original: String, _ fault: String?, _ shown: String,
        _ connector: ConnectorName?, _ numbers: inout SequenceNumbers,
        _ surroundings: SpoolSurroundings, _ round: inout Round
    ) throws(FileError) {
        let claiming = ClaimingName(
            number: try numbers.take(surroundings.files), connector: connector, original: original)
        guard try move(path, to: claiming.path, shown, surroundings.files, &round) else { return }
        try look(at: claiming, isNew: true, fault, &numbers, surroundings, &round)
    }

    /// False where it is gone again, or stays where it is.
    private mutating func move(
        _ path: String, to active: String, _ shown: String, _ files: any FileSystem,
        _ round: inout Round
    ) throws(FileError) -> Bool {
        do { try files.rename(path, to: active) } catch {
            if error.isMissing { return false }
            guard error.isPinned else { throw error }
            leave(shown, "it cannot be moved from there: \(errorText(error.code))", &round)
            return false
        }
        return true
    }

    private mutating func leave(_ shown: String, _ reason: String, _ round: inout Round) {
        guard reported.count < Limits.namesLeft, reported.insert(shown).inserted else { return }
        round.refusals.append(FileRefusal(file: shown, reason: reason, fate: .left))
    }

    /// Forgets what was left, so that the next look tries it again.
    mutating func forgetReported() {
        reported.removeAll()
    }

    // MARK: Looking

    /// Looks at a file that nobody else can reach any more, and takes it, sets it aside or waits for its writer.
    private mutating func look(
        at claiming: ClaimingName, isNew: Bool, _ fault: String?,
        _ numbers: inout SequenceNumbers,
        _ surroundings: SpoolSurroundings, _ round: inout Round
    ) throws(FileError) {
        let files = surroundings.files
        let file: any OpenFile
        let status: FileStatus
        do throws(FileError) {
            guard let found = try files.status(claiming.path) else { return }
            guard found.kind == .regular else {
                return try setAside(claiming, "it is \(found.kind.rawValue)", files, &round)
            }
            do throws(FileError) { file = try files.open(claiming.path) } catch {
                guard error.isHeldByLease else { throw error }
                wait(for: claiming, found, .some, surroundings, &round)
                return
            }
            status = try file.status()
        } catch {
            guard error.isDataFault else { throw error }
            return try setAside(
                claiming, "it cannot be opened: \(errorText(error.code))", files, &round)
        }
        guard status.kind == .regular else {
            return try setAside(claiming, "it is \(status.kind.rawValue)", files, &round)
        }
        guard status.links == 1 else {
            if try waitForUnlink(of: claiming, status, surroundings, &round) { return }
            return try setAside(claiming, "it has \(status.links) hard links", files, &round)
        }
        guard let kind = rules.kind(claiming.original, claiming.connector) else {
            return try setAside(
                claiming, fault ?? rules.fault(claiming.connector), files, &round)
        }
        if wait(for: claiming, status, file.writers(), surroundings, &round) { return }
        try take(claiming, status, kind, isNew, &numbers, surroundings, &round)
    }

    private func take(
        _ claiming: ClaimingName, _ status: FileStatus,
        _ kind: ClaimRules.Kind, _ isNew: Bool,
        _ numbers: inout SequenceNumbers, _ surroundings: SpoolSurroundings,
        _ round: inout Round
    ) throws(FileError) {
        // One that waited gets a new number: others were claimed meanwhile, and files are read in the order of numbers.
        let number = isNew ? claiming.number : try numbers.take(surroundings.files)
        let active = ActiveName(
            number: number, accepted: surroundings.now(), size: status.size,
            encoding: kind.encoding, connector: claiming.connector, original: claiming.original,
            contents: kind.contents)
        try surroundings.files.rename(claiming.path, to: active.path)
        round.claimed.append(active)
    }

    /// Whether somebody may still write into it; then it waits.
    @discardableResult
    private mutating func wait(
        for claiming: ClaimingName, _ status: FileStatus, _ writers: Writers,
        _ surroundings: SpoolSurroundings, _ round: inout Round
    ) -> Bool {
        if writers == .unknown { round.lacksLeases = true }
        switch waiting.wait(for: claiming, status, writers, at: surroundings.uptime()) {
        case .isFinished: return false
        case .waits: return true
        case .waitsLong:
            round.refusals.append(
                FileRefusal(
                    file: claiming.shown, reason: "its writer has not closed it yet",
                    fate: .waits))
            return true
        }
    }

    /// Whether its other name may still go: link(2), then unlink(2) of the name before, puts a file in place without
    /// replacing another, as maildir(5) does. Where that other name is in `active/`, it is we who remove it, and the
    /// file would come twice.
    private mutating func waitForUnlink(
        of claiming: ClaimingName, _ status: FileStatus, _ surroundings: SpoolSurroundings,
        _ round: inout Round
    ) throws(FileError) -> Bool {
        if !waiting.contains(claiming) {
            if round.ours == nil { round.ours = try Self.inodesOfActive(surroundings.files) }
            if round.ours?.contains(status.inode) == true { return false }
        }
        return waiting.waitForUnlink(of: claiming, status, at: surroundings.uptime())
    }

    private static func inodesOfActive(_ files: any FileSystem) throws(FileError) -> Set<UInt64> {
        var names: [String] = []
        try files.forEachName(in: SpoolLayout.active) { name in
            if ActiveName(name) != nil { names.append(name) }
            return true
        }
        var inodes: Set<UInt64> = []
        for name in names {
            if let status = try files.status("\(SpoolLayout.active)/\(name)") {
                inodes.insert(status.inode)
            }
        }
        return inodes
    }

    /// Looks again at the files that had writers or a second name.
    private mutating func lookAgain(
        _ connectors: [ConnectorName], _ numbers: inout SequenceNumbers,
        _ surroundings: SpoolSurroundings, _ round: inout Round
    ) throws(FileError) {
        for name in waiting.names {
            if let connector = name.connector, !connectors.contains(connector) {
                leaveWaiting(name, for: connector, &round)
            } else {
                try look(at: name, isNew: false, nil, &numbers, surroundings, &round)
            }
        }
    }

    /// Its connector left the configuration before its writer closed it. Taken now, all of it would be refused; what
    /// lies in the connector's directory waits as well.
    private mutating func leaveWaiting(
        _ claiming: ClaimingName, for connector: ConnectorName, _ round: inout Round
    ) {
        guard waiting.noteMissingConnector(claiming) else { return }
        round.refusals.append(
            FileRefusal(
                file: claiming.shown,
                reason: "connector \(connector) is not in the configuration", fate: .waits))
    }

    private mutating func setAside(
        _ claiming: ClaimingName, _ reason: String, _ files: any FileSystem, _ round: inout Round
    ) throws(FileError) {
        waiting.remove(claiming)
        let path = try Quarantine.keep(
            claiming.path, number: claiming.number, connector: claiming.connector,
            original: claiming.original, keptFrom: 0,
            isExport: rules.takesFiles(claiming.connector), reason: reason, files)
        round.refusals.append(
            FileRefusal(file: claiming.shown, reason: reason, fate: .quarantined(path: path)))
    }
}
