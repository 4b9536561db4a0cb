import Model

extension DaemonStatus {
    /// nil where the document is not the daemon's.
    init?(_ document: JSONText) {
        guard let summary = document["summary"]?.string, let spool = document["spool"],
            let now = document["now"]?.time, let connectors = document["connectors"]?.elements
        else { return nil }
        version = document["version"]?.string
        pid = document["pid"]?.integer
        started = document["started"]?.time
        self.summary = summary
        self.now = now
        directory = spool["directory"]?.string ?? ""
        intake = spool["intake"]?.string ?? "unknown"
        intakeDetail = spool["detail"]?.string
        activeFiles = spool["active_files"]?.integer ?? 0
        unsealedBatches = spool["unsealed_batches"]?.integer ?? 0
        quarantined = spool["quarantined"]?.integer ?? 0
        freeBytes = spool["free_bytes"]?.integer.map { max(0, $0) }
        sizeBytes = spool["size_bytes"]?.integer.flatMap { $0 > 0 ? $0 : nil }
        self.connectors = connectors.compactMap(Connector.init)
        orphans = (document["orphans"]?.elements ?? []).compactMap { orphan in
            orphan["name"]?.string.map { Orphan(name: $0, held: Amount(orphan)) }
        }
        problems = (document["problems"]?.elements ?? []).compactMap(Problem.init)
    }
}

extension DaemonStatus.Connector {
    init?(_ value: JSONText) {
        guard let name = value["name"]?.string, let state = value["state"]?.string else {
            return nil
        }
        self.name = name
        self.state = .init(state)
        kind = value["kind"]?.string
        format = value["format"]?.string
        bucket = value["bucket"]?.string ?? ""
        folder = value["folder"]?.string ?? ""
        detail = value["detail"]?.string
        since = value["since"]?.time
        deniedTypes = (value["denied_event_types"]?.elements ?? []).compactMap(\.string)
        held = .init(value["held"])
        expireAfter = value["expire_after_seconds"]?.integer
        oldest = value["held"]?["oldest"]?.time
        mostBytes = value["held"]?["most_bytes"]?.integer
        filesWait =
            if case .boolean(true)? = value["held"]?["files_wait"] { true } else { false }
        atFault = value["at_fault"]?["objects"]?.integer ?? 0
        faultDetail = value["at_fault"]?["detail"]?.string
        delivered = .init(value["delivered"])
        rate = value["rate"].map(DaemonStatus.Rate.init)
        episodes = (value["episodes"]?.elements ?? []).map(DaemonStatus.Episode.init)
        dropped = .init(value["dropped"])
        archived = .init(value["archived"])
        discarded = .init(value["discarded"])
        inArchive = .init(value["in_archive"])
        lastKey = value["last_object"]?["key"]?.string
        lastTime = value["last_object"]?["time"]?.time
        uploads = (value["uploads"]?.elements ?? []).compactMap(DaemonStatus.Upload.init)
        toRemove = value["to_remove"]?["objects"]?.integer ?? 0
        nextRemoval = value["to_remove"]?["next"]?.time
        if kind == "data-export" { countFiles() }
    }

    private mutating func countFiles() {
        for path in [\Self.held, \.delivered, \.dropped, \.archived, \.discarded, \.inArchive] {
            self[keyPath: path].isOfFiles = true
        }
        for index in episodes.indices { episodes[index].atRisk.isOfFiles = true }
    }
}

extension DaemonStatus.Upload {
    init?(_ value: JSONText) {
        guard let key = value["key"]?.string, let size = value["size"]?.integer, size > 0,
            let sent = value["sent"]?.integer
        else { return nil }
        self.key = key
        self.size = size
        self.sent = max(0, min(size, sent))
        bytesPerSecond = max(0, value["bytes_per_second"]?.integer ?? 0)
        secondsLeft = value["seconds_left"]?.integer
    }
}

extension DaemonStatus.Episode {
    init(_ value: JSONText) {
        eventType = value["event_type"]?.string
        since = value["since"]?.time
        code = value["code"]?.string
        attempts = value["attempts"]?.integer ?? 0
        atRisk = .init(value["at_risk"])
        firstDrop = value["first_drop"]?.time
        firstDropIn = value["first_drop_in_seconds"]?.integer
        isArchiving = value["on_expiry"]?.string == "archive"
        clockStands =
            if case .boolean(true)? = value["clock_stands"] { true } else { false }
    }
}

extension DaemonStatus.Rate {
    init(_ value: JSONText) {
        events = max(0, value["events_per_second"]?.integer ?? 0)
        bytes = max(0, value["bytes_per_second"]?.integer ?? 0)
    }

    static func + (left: Self, right: Self) -> Self {
        Self(events: left.events + right.events, bytes: left.bytes + right.bytes)
    }
}

extension DaemonStatus.Problem {
    init?(_ value: JSONText) {
        guard let time = value["time"]?.time, let text = value["text"]?.string else { return nil }
        self.time = time
        self.text = text
        priority = value["priority"]?.string ?? "warning"
        connector = value["connector"]?.string
        count = max(1, value["count"]?.integer ?? 1)
    }
}

extension DaemonStatus.Amount {
    init(_ value: JSONText?) {
        objects = max(0, value?["objects"]?.integer ?? 0)
        events = max(0, value?["events"]?.integer ?? 0)
        bytes = max(0, value?["bytes"]?.integer ?? 0)
    }
}

extension JSONText {
    var time: Timestamp? { string.flatMap(Timestamp.init(extended:)) }
}

extension Timestamp {
    /// Reads what `extended` writes: `2026-11-22T17:53:00Z`.
    init?(extended text: String) {
        let numbers = text.split { !$0.isASCII || !$0.isWholeNumber }.compactMap { Int64($0) }
        guard numbers.count == 6, (0...9999).contains(numbers[0]), (1...12).contains(numbers[1]),
            (1...31).contains(numbers[2])
        else { return nil }
        let date = CivilDate(
            year: Int(numbers[0]), month: Int(numbers[1]), day: Int(numbers[2]))
        let minutes = (date.daysSince1970 * 24 + min(numbers[3], 23)) * 60 + min(numbers[4], 59)
        self.init(unixSeconds: minutes * 60 + min(numbers[5], 60))
        guard extended == text else { return nil }
    }
}
