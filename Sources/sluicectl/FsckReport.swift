import Glibc
import Model
import Spool

/// How `fsck` tells what it finds: at once, for there may be very much of it.
enum FsckReport {
    case text
    /// One object, of this spool.
    case json(String)

    func begin(isRunning: Bool) {
        guard case .json(let directory) = self else { return }
        Output.data(
            "{\"spool\":\(JSONText.quoted(directory)),\"running\":\(isRunning),\"findings\":[")
    }

    func show(_ finding: SpoolFinding, isFirst: Bool) {
        switch self {
        case .text:
            let line = Output.plain(Self.line(finding))
            // A line each, for whoever reads them with another program.
            let lines =
                isatty(STDOUT_FILENO) == 1 ? wrapped(line, width: Output.width, indent: 0) : [line]
            lines.forEach(Output.data)
        case .json:
            let object = JSONText.object([
                ("path", .string(finding.path)), ("fault", .string(finding.fault)),
                ("meaning", .string(finding.meaning)), ("remedy", .string(finding.remedy)),
            ])
            Output.data((isFirst ? "" : ",") + object.text)
        }
    }

    func end(_ census: SpoolCensus, _ directory: String, _ findings: Int, isRunning: Bool) {
        switch self {
        case .text:
            if findings > 0 { Output.data("") }
            Self.lines(census, directory, findings, isRunning: isRunning, width: Output.width)
                .forEach(Output.data)
        case .json:
            Output.data("],\"counts\":\(Self.counts(census).text)}")
        }
    }

    static func line(_ finding: SpoolFinding) -> String {
        "\(finding.path): \(finding.fault); \(finding.meaning); \(finding.remedy)"
    }

    // MARK: What lies there

    static func lines(
        _ census: SpoolCensus, _ directory: String, _ findings: Int, isRunning: Bool, width: Int
    ) -> [String] {
        var facts = Facts()
        var spool = directory
        if let identity = census.identity {
            spool += ", zone \(identity.zone), partition \(identity.partition)"
        }
        if let version = census.version { spool += ", layout \(version)" }
        facts.add("spool", spool)
        facts.add(
            "sluiced",
            isRunning ? "is running, so files come and go meanwhile" : "is not running")
        facts.add("incoming", incoming(census))
        facts.add("active", active(census))
        facts.add("sealed", sealed(census))
        facts.add("expired", expired(census))
        facts.add(
            "quarantine",
            census.quarantined.files > 0
                ? text(census.quarantined, "file") + " refused" : "nothing")
        if census.halfWritten > 0 {
            facts.add(
                "rubbish",
                "\(Findings.count(census.halfWritten, "file")) half-written, which a start removes")
        }
        let files = Findings.count(census.looked.files, "file")
        let faults = findings == 0 ? "nothing wrong" : Findings.count(findings, "fault")
        facts.add("found", "\(faults) in \(files), \(ByteCount(census.looked.bytes)) read")
        return facts.lines(width: width)
    }

    private static func text(_ amount: SpoolCensus.Amount, _ noun: String) -> String {
        "\(Findings.count(amount.files, noun)) (\(ByteCount(amount.bytes)))"
    }

    private static func incoming(_ census: SpoolCensus) -> String {
        var parts: [String] = []
        if census.dropped.files > 0 {
            parts.append(text(census.dropped, "event file") + " to be taken")
        }
        if census.unfinished.files > 0 {
            parts.append(text(census.unfinished, "file") + " left alone for their names")
        }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }

    private static func active(_ census: SpoolCensus) -> String {
        var parts: [String] = []
        if census.claimed.files > 0 {
            parts.append(
                text(census.claimed, "event file") + " until all of their events are sealed")
        }
        if census.claiming.files > 0 {
            parts.append(text(census.claiming, "file") + " being claimed")
        }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }

    private static func sealed(_ census: SpoolCensus) -> String {
        var parts: [String] = []
        if census.held.files > 0 {
            parts.append(
                "\(text(census.held, "object")) with \(grouped(census.heldEvents)) events to be "
                    + "delivered")
        }
        if census.unsealed.files > 0 {
            parts.append(
                text(census.unsealed, "object")
                    + " not sealed, whose events lie in active/ or are delivered")
        }
        if census.tombstones > 0 {
            parts.append(
                "\(Findings.count(census.tombstones, "tombstone")) of settled batches")
        }
        if census.stored > 0 {
            parts.append(
                "\(Findings.count(census.stored, "file")) in buckets, to be deleted there")
        }
        if census.uncountedLosses > 0 {
            parts.append(
                "\(grouped(census.uncountedLosses)) of them losses to be told and counted")
        }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }

    private static func expired(_ census: SpoolCensus) -> String {
        guard census.archived.files > 0 else { return "nothing" }
        return "\(text(census.archived, "object")) with \(grouped(census.archivedEvents)) events, "
            + "for you to decide: sluicectl archive"
    }

    static func counts(_ census: SpoolCensus) -> JSONText {
        func amount(_ amount: SpoolCensus.Amount) -> [(String, JSONText)] {
            [("files", .integer(amount.files)), ("bytes", .integer(Int(clamping: amount.bytes)))]
        }
        let held = [("events", JSONText.integer(Int(clamping: census.heldEvents)))]
        let archived = [("events", JSONText.integer(Int(clamping: census.archivedEvents)))]
        return .object([
            ("incoming", .object(amount(census.dropped))),
            ("left_alone", .object(amount(census.unfinished))),
            ("active", .object(amount(census.claimed))),
            ("claiming", .object(amount(census.claiming))),
            ("held", .object(amount(census.held) + held)),
            ("unsealed", .object(amount(census.unsealed))),
            ("tombstones", .integer(census.tombstones)),
            ("to_remove", .integer(census.stored)),
            ("uncounted_losses", .integer(census.uncountedLosses)),
            ("archived", .object(amount(census.archived) + archived)),
            ("quarantined", .object(amount(census.quarantined))),
            ("half_written", .integer(census.halfWritten)),
            ("looked_at", .object(amount(census.looked))),
        ])
    }
}
