public import Model

/// What of a connector's health outlives the process: above all the clocks of its episodes.
public struct HealthRecord: Sendable, Equatable {
    var isVerified = false
    var window = ConnectorHealth.defaultWindow
    var pausedSince: Instant?
    var silentSince: Instant?
    var episodes: [Episode] = []

    /// Nothing of it would be missed.
    public var isEmpty: Bool {
        !isVerified && pausedSince == nil && episodes.isEmpty
    }
}

/// What the file `episodes` in the spool holds: the spool clock, and the health of each connector.
///
/// ```
/// sluice episodes 1
/// clock, boot, boot-time            the stamp, in nanoseconds
/// connector: <name>                 what follows is this connector's
///   verified, window, paused, silent, destination
/// episode: <event type, or empty>   what follows is this episode's
///   began, rejected, failures, code, message, dated, booted, nothing-before, told, stands, stop, credit
/// ```
public struct EpisodeBook: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public var connector: ConnectorName
        /// Says whether destination and credentials are the ones that the record speaks of.
        public var destination: String
        public var record: HealthRecord

        public init(connector: ConnectorName, destination: String, record: HealthRecord) {
            self.connector = connector
            self.destination = destination
            self.record = record
        }
    }

    public var clock: SpoolClock
    public var entries: [Entry]

    public init(clock: SpoolClock, entries: [Entry]) {
        self.clock = clock
        self.entries = entries
    }

    public static let kind = "episodes"

    public var text: CheckedText {
        var text = CheckedText(kind: Self.kind)
        clock.add(to: &text)
        for entry in entries {
            text.add("connector", entry.connector)
            text.add("destination", entry.destination)
            entry.record.add(to: &text)
        }
        return text
    }

    public init(_ text: CheckedText) throws(CheckedText.Fault) {
        clock = try SpoolClock(text)
        entries = []
        var sections: [[(key: String, value: String)]] = []
        for line in text.lines {
            if line.key == "connector" { sections.append([]) }
            if !sections.isEmpty { sections[sections.count - 1].append(line) }
        }
        for section in sections {
            guard let name = ConnectorName(section[0].value) else {
                throw .damaged("\"\(section[0].value)\" is no connector's name")
            }
            entries.append(
                Entry(
                    connector: name,
                    destination: section.first { $0.key == "destination" }?.value ?? "",
                    record: try HealthRecord(section)))
        }
    }
}

extension HealthRecord {
    fileprivate func add(to text: inout CheckedText) {
        text.add("verified", isVerified ? "yes" : "no")
        text.add("window", window.nanoseconds)
        if let pausedSince { text.add("paused", pausedSince.nanoseconds) }
        if let silentSince { text.add("silent", silentSince.nanoseconds) }
        for episode in episodes { episode.add(to: &text) }
    }

    fileprivate init(_ lines: [(key: String, value: String)]) throws(CheckedText.Fault) {
        var current: [(key: String, value: String)] = []
        var parts: [[(key: String, value: String)]] = []
        for line in lines {
            if line.key == "episode" {
                parts.append(current)
                current = []
            }
            current.append(line)
        }
        parts.append(current)
        let head = Section(parts[0])
        isVerified = head.text("verified") == "yes"
        window = try head.number("window").map { .nanoseconds($0) } ?? ConnectorHealth.defaultWindow
        pausedSince = try head.instant("paused")
        silentSince = try head.instant("silent")
        for part in parts.dropFirst() { episodes.append(try Episode(Section(part))) }
    }
}

/// Lines that belong together.
private struct Section {
    let lines: [(key: String, value: String)]

    init(_ lines: [(key: String, value: String)]) {
        self.lines = lines
    }

    func text(_ key: String) -> String? { lines.first { $0.key == key }?.value }

    func number(_ key: String) throws(CheckedText.Fault) -> Int64? {
        guard let text = text(key) else { return nil }
        return try CheckedText.moment(text, of: key)
    }

    func instant(_ key: String) throws(CheckedText.Fault) -> Instant? {
        try number(key).map { Instant(nanoseconds: $0) }
    }

    func required(_ key: String) throws(CheckedText.Fault) -> Instant {
        guard let instant = try instant(key) else { throw .missing(key: key) }
        return instant
    }

    /// Lines with two numbers each.
    func pairs(_ key: String) throws(CheckedText.Fault) -> [(Int64, Int64)] {
        var pairs: [(Int64, Int64)] = []
        for line in lines where line.key == key {
            let words = line.value.split(separator: " ")
            guard words.count == 2, words.allSatisfy({ Int64($0) != nil }) else {
                throw .damaged("\(key) is not two numbers")
            }
            let first = try CheckedText.moment(words[0], of: key)
            pairs.append((first, try CheckedText.moment(words[1], of: key)))
        }
        return pairs
    }
}

extension Episode {
    fileprivate func add(to text: inout CheckedText) {
        text.add("episode", eventType ?? "")
        text.add("began", timeline.began.nanoseconds)
        text.add("since", trouble.since.nanoseconds)
        text.add("rejected", rejected.nanoseconds)
        text.add("failures", trouble.failures)
        if let cause = trouble.because.cause {
            text.add("code", cause.code)
            if let message = cause.message { text.add("message", message) }
        }
        if let dated { text.add("dated", "\(dated.sent.nanoseconds) \(dated.date.unixSeconds)") }
        if let bootedAt { text.add("booted", bootedAt.nanoseconds) }
        if let nothingBefore { text.add("nothing-before", nothingBefore.nanoseconds) }
        text.add("told", told)
        if let since = timeline.standsSince { text.add("stands", since.nanoseconds) }
        for stop in timeline.stops {
            text.add("stop", "\(stop.from.nanoseconds) \(stop.to.nanoseconds)")
        }
        for credit in timeline.credits {
            text.add("credit", "\(credit.at.nanoseconds) \(credit.by.nanoseconds)")
        }
    }

    fileprivate init(_ section: Section) throws(CheckedText.Fault) {
        let type = section.text("episode").flatMap { $0.isEmpty ? nil : $0 }
        let cause = Cause(
            code: section.text("code") ?? "AccessDenied", message: section.text("message"))
        let because = Disposition.credentials(type == nil ? .connector : .eventType, cause)
        self.init(
            eventType: type, because: because, sent: try section.required("rejected"),
            at: try section.required("since"))
        trouble.failures = Int(try section.number("failures") ?? 1)
        timeline = EpisodeTimeline(
            began: try section.required("began"),
            stops: try section.pairs("stop").map {
                EpisodeTimeline.Stop(
                    from: Instant(nanoseconds: $0.0), to: Instant(nanoseconds: $0.1))
            },
            credits: try section.pairs("credit").map {
                EpisodeTimeline.Credit(
                    at: Instant(nanoseconds: $0.0), by: .nanoseconds($0.1))
            },
            standsSince: try section.instant("stands"))
        dated = try section.pairs("dated").first.flatMap {
            DatedRejection(
                sent: Instant(nanoseconds: $0.0), date: Timestamp(unixSeconds: $0.1))
        }
        bootedAt = try section.instant("booted")
        nothingBefore = try section.instant("nothing-before")
        told = Int(try section.number("told") ?? 0)
    }
}
