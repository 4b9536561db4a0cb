import Model

/// All that is known of one connector, for people.
struct ConnectorReport {
    var status: DaemonStatus
    var name: String
    var look: Look

    private static let mostProblems = 10

    var lines: [String] {
        var lines = heading + facts.lines(width: look.width)
        let troubles = status.troubles(of: name)
        if !troubles.isEmpty { lines += [""] + troubles.flatMap { $0.lines(look) } }
        let problems = ProblemLines(
            status.problems.filter { $0.connector == name }, beside: troubles,
            most: Self.mostProblems, now: status.now, look: look
        ).lines
        if !problems.isEmpty { lines += [""] + problems }
        return lines
    }

    private var connector: DaemonStatus.Connector? {
        status.connectors.first { $0.name == name }
    }

    private var heading: [String] {
        let standing = connector?.standing(at: status.now) ?? .waiting
        var text = "\(name): \(connector?.state.words ?? "orphaned")"
        if let since = connector?.since {
            text += " since \(since.extended), for \(age(of: since, at: status.now))"
        }
        var lines = wrapped(Output.plain(text), width: look.width, indent: 2, hanging: 2)
        lines[0] = look.coloured(standing.mark(look), standing.colour) + lines[0].dropFirst()
        return lines
    }

    private var facts: Facts {
        var facts = Facts()
        guard let connector else {
            facts.add("held", status.orphans.first { $0.name == name }?.held.text)
            return facts
        }
        let folder = connector.folder.isEmpty ? "" : connector.folder + "/"
        facts.add("objects go to", "s3://\(connector.bucket)/\(folder)")
        facts.add("format", connector.formatText)
        facts.add("held", connector.heldText(at: status.now))
        if let most = connector.mostBytes, most > 0 {
            let bar = Gauge.bar(Double(connector.held.bytes) / Double(most), width: 20, look)
            facts.add("max_held", "\(bar) of \(ByteCount(UInt64(most)))")
        }
        if connector.atFault > 0 {
            facts.add("at fault", Findings.count(connector.atFault, "object"))
        }
        let delivered = connector.delivered
        facts.add(
            "delivered",
            delivered.objects > 0 ? "\(delivered.text) since sluiced started" : "nothing yet")
        facts.add("rate", connector.rate.map { "\($0.text) in the last minute" })
        for upload in connector.uploads {
            let bar = Gauge.bar(upload.part, width: 20, look)
            facts.add("uploading", "\(bar) \(upload.text): s3://\(connector.bucket)/\(upload.key)")
        }
        facts.add("given up", connector.lossText)
        if connector.toRemove > 0 {
            let next = connector.nextRemoval.map { ", the first not before \($0.extended)" } ?? ""
            facts.add(
                "to delete", "\(Findings.count(connector.toRemove, "file")) in the bucket\(next)")
        }
        if let key = connector.lastKey {
            let time = connector.lastTime.map { " \(age(of: $0, at: status.now)) ago" } ?? ""
            facts.add("last object", "s3://\(connector.bucket)/\(key)\(time)")
        }
        for episode in connector.episodes { add(episode, of: connector, to: &facts) }
        return facts
    }

    private func add(
        _ episode: DaemonStatus.Episode, of connector: DaemonStatus.Connector, to facts: inout Facts
    ) {
        let scope = episode.eventType.map { "\($0) is denied" } ?? "credentials are rejected"
        let since = episode.since.map { " since \($0.extended)" } ?? ""
        let code = episode.code.map { ", \($0)" } ?? ""
        let attempts = Findings.count(episode.attempts, "attempt")
        facts.add("episode", "\(scope)\(since); \(attempts)\(code)")
        if let window = connector.expireAfter, window > 0, let left = episode.firstDropIn {
            let passed = max(0, min(window, window - left))
            let bar = Gauge.bar(Double(passed) / Double(window), width: 20, look)
            // In one unit, which for the usual window is hours.
            let words =
                window % 3600 == 0 && passed >= 3600
                ? "\(passed / 3600) of \(window / 3600) hours"
                : "\(span(Int64(passed))) of \(span(Int64(window)))"
            facts.add("window", "\(bar) \(words) have passed")
        }
        guard episode.atRisk.events > 0 else { return }
        facts.add("at risk", episode.atRisk.text)
        if episode.clockStands {
            facts.add("first drop", "none now, the clock of the window stands")
        } else if let drop = episode.firstDrop {
            let verb = episode.isArchiving ? "into the archive " : ""
            let time =
                drop > status.now
                ? "in \(age(of: status.now, at: drop)), at \(drop.extended)"
                : "with the next rejected attempt"
            facts.add("first drop", verb + time)
        }
    }
}

extension DaemonStatus.Connector {
    fileprivate var formatText: String? {
        if kind == "data-export" { return "files as they are (data-export)" }
        let name: String? =
            switch format {
            case "avro": "Avro"
            case "jsonl": "JSON Lines"
            case let other: other
            }
        return name.map { $0 + (kind.map { " (\($0))" } ?? "") }
    }

    fileprivate func heldText(at now: Timestamp) -> String {
        guard held.objects > 0 else { return "nothing" }
        return held.text + (oldest.map { ", the oldest for \(age(of: $0, at: now))" } ?? "")
    }

    /// What was lost, or nearly, since the spool was made; nil where nothing was.
    fileprivate var lossText: String? {
        let words = [(dropped, "dropped"), (archived, "archived"), (discarded, "discarded")]
            .filter { $0.0.events > 0 }.map { "\(grouped($0.0.events)) \($0.1)" }
        guard !words.isEmpty else { return nil }
        return "\(words.joined(separator: ", ")) \(dropped.noun)s since the spool was made"
    }
}
