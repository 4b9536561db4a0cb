import Files
public import Model

/// Something in quarantine: the refused events of one event file, or a file that is kept whole.
public struct QuarantineItem: Sendable, Equatable {
    public struct Reason: Sendable, Equatable {
        public var text: String
        /// How many events were refused for it.
        public var count: Int
    }

    public var id: QuarantineID { name.id }
    /// Where it was dropped: `incoming/orders/e.jsonl`.
    public var file: String
    public var isFile: Bool { name.id.isFile }
    /// nil: it was never taken.
    public var accepted: String?
    public var quarantined: Timestamp
    /// nil: nobody knows how many there are.
    public var events: Int?
    public var bytes: UInt64
    /// Those that refused some of it, or into whose directory it was dropped.
    public var connectors: [ConnectorName] = []
    /// The most frequent first; a few of them.
    public var reasons: [Reason] = []
    /// Why it cannot be tried again; nil: it can.
    public var obstacle: String?

    let name: QuarantineName
    /// The name under which it was dropped, and the connector whose directory that was.
    private(set) var dropped: (connector: ConnectorName?, original: String)
    /// Events by the connector that refused them; under nil those that none in particular did.
    var refused: [ConnectorName?: Int] = [:]
    /// How to read it.
    var encoding = ActiveName.Encoding.plain
    /// It becomes an object as it is.
    var isExport = false

    public static func == (left: QuarantineItem, right: QuarantineItem) -> Bool {
        left.name == right.name && left.bytes == right.bytes && left.reasons == right.reasons
    }
}

extension QuarantineItem {
    /// Looks at what lies there; nil where it is gone.
    init?(_ name: QuarantineName, _ files: any FileSystem) throws(FileError) {
        guard let status = try files.status(name.path) else { return nil }
        let time = Timestamp(unixSeconds: status.changed / 1_000_000_000)
        if case .file(let kept) = name.kind {
            try self.init(name, kept, status, time, files)
            return
        }
        self.init(
            file: name.path, quarantined: time, bytes: status.size,
            obstacle: "it is no file of refused events, or damaged", name: name,
            dropped: (nil, ""))
        do throws(FileError) {
            guard let rejects = try RejectsFile(name.path, files) else { return }
            file = rejects.title.file
            accepted = rejects.title.accepted
            dropped = rejects.title.dropped
            obstacle = nil
            try count(rejects)
        } catch {
            if error.isMissing { return nil }
            // The others are to be seen all the same.
            guard error.isMediaFault else { throw error }
            obstacle = "it cannot be read: \(errorText(error.code))"
        }
    }

    private init(
        _ name: QuarantineName, _ kept: QuarantineName.KeptFile, _ status: FileStatus,
        _ time: Timestamp, _ files: any FileSystem
    ) throws(FileError) {
        self.init(
            file: NameEscape.shown(kept.connector, kept.original), quarantined: time,
            bytes: status.size, connectors: [kept.connector].compactMap { $0 }, name: name,
            dropped: (kept.connector, kept.original))
        let reason = Quarantine.reason(name.number, files)
        reasons = [Reason(text: Self.cut(reason ?? "the reason is lost"), count: 1)]
        if kept.isOld {
            obstacle = "an older sluiced kept it, and did not note how much of it was taken"
        } else if kept.isExport {
            isExport = true
            if (try? ExportName(fileName: kept.original)) == nil {
                obstacle = "its name names no object; submit it with --as"
            } else if status.kind != .regular || status.links != 1 {
                obstacle = "it is no regular file with one name"
            } else if try hasWriter(files) {
                obstacle = "somebody has it open for writing"
            }
        } else if kept.from == nil {
            obstacle = "what of it can be taken was taken, or nobody can say how much"
        } else if status.kind != .regular || status.links != 1 {
            obstacle = "it is no regular file with one name"
        } else if let encoding = ActiveName.encoding(ofFile: kept.original) {
            self.encoding = encoding
            if try hasWriter(files) { obstacle = "somebody has it open for writing" }
        } else {
            obstacle = "its name does not end in .jsonl, .ndjson or .json, with or without .gz"
        }
    }

    private func hasWriter(_ files: any FileSystem) throws(FileError) -> Bool {
        do { return try files.open(name.path).writers() == .some } catch {
            // One that cannot be opened is refused again, with the reason.
            if error.isMissing || error.isDataFault { return false }
            if error.isHeldByLease { return true }
            throw error
        }
    }

    private mutating func count(_ rejects: RejectsFile) throws(FileError) {
        var offset = rejects.first
        var reasons: [String: Int] = [:]
        events = 0
        while true {
            let entry: RejectsFile.Entry
            switch try rejects.entry(at: offset) {
            case .success(let next?): entry = next
            case .success(nil):
                connectors = refused.keys.compactMap { $0 }.sorted()
                self.reasons = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                    .prefix(Limits.reasonsPerItem).map { Reason(text: $0.key, count: $0.value) }
                return
            case .failure(let damage):
                obstacle = "it is damaged at byte \(damage.offset)"
                return
            }
            offset = entry.next
            // What was too long lies in its file.
            guard entry.head.bytes > 0 else { continue }
            events! += 1
            refused[entry.head.connector.flatMap { ConnectorName($0) }, default: 0] += 1
            let reason = Self.cut(entry.head.reason)
            // Reasons may all differ; those that come late are few of a kind.
            if reasons[reason] != nil || reasons.count < Limits.rejectReasonsCounted {
                reasons[reason, default: 0] += 1
            }
        }
    }

    static func cut(_ reason: String) -> String {
        let most = Limits.reasonBytesShown
        guard reason.utf8.count > most else { return reason }
        return String(decoding: reason.utf8.prefix(most), as: UTF8.self) + "..."
    }

    /// The name under which it is read again; with a connector, only what that one refused.
    func active(
        number: UInt64, accepted: Timestamp, size: UInt64, only: ConnectorName?
    ) -> ActiveName {
        var name = ActiveName(
            number: number, accepted: accepted, size: size, encoding: encoding,
            connector: dropped.connector, original: dropped.original)
        switch self.name.kind {
        case .file(let kept): name.contents = isExport ? .export : .events(from: kept.from ?? 0)
        case .rejects, .reason: name.contents = .rejects(of: only)
        }
        return name.fitted
    }

    /// Events that a retry tries: of one connector, or all; nil: nobody knows.
    public func events(of connector: ConnectorName?) -> Int? {
        guard let connector, !isFile else { return events }
        return refused[connector] ?? 0
    }

    /// Whether a choice of this connector means it.
    func concerns(_ connector: ConnectorName?) -> Bool {
        guard let connector else { return true }
        return isFile ? dropped.connector == connector : refused[connector] != nil
    }
}

/// Names in quarantine, in the order of their numbers, some at a time.
enum QuarantineNames {
    /// The names of up to `limit` numbers after one of them; both names of a number, where there are two.
    static func names(
        after: UInt64?, through: UInt64 = .max, limit: Int, _ files: any FileSystem
    ) throws(FileError) -> (names: [QuarantineName], total: Int, hasMore: Bool) {
        // Numbers only, first: of very many names not all are kept in memory.
        var numbers: [UInt64] = []
        var total = 0
        try forEach(files) { name in
            total += 1
            if name.number <= through, after.map({ name.number > $0 }) ?? true {
                numbers.append(name.number)
            }
        }
        numbers.sort()
        guard let last = numbers.prefix(limit).last else { return ([], total, false) }
        let hasMore = (numbers.last ?? last) > last
        var names: [QuarantineName] = []
        try forEach(files) { name in
            if name.number <= last, after.map({ name.number > $0 }) ?? true { names.append(name) }
        }
        return (names.sorted { $0.id < $1.id }, total, hasMore)
    }

    static func find(
        _ id: QuarantineID, _ files: any FileSystem
    ) throws(FileError) -> QuarantineName? {
        var found: QuarantineName?
        try forEach(files) { if $0.id == id { found = $0 } }
        return found
    }

    private static func forEach(
        _ files: any FileSystem, _ body: (QuarantineName) -> Void
    ) throws(FileError) {
        try files.forEachName(in: SpoolLayout.quarantine) { text in
            if let name = QuarantineName(text), name.kind != .reason { body(name) }
            return true
        }
    }
}
