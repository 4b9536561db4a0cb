import Model

/// The daemon's status for people: how it does in all, a row a connector, what to do, and what went wrong lately.
struct StatusReport {
    var status: DaemonStatus
    var look: Look
    /// Also the connectors that are well, however many there are, and all troubles.
    var showsAll = false

    /// Up to so many connectors each has its row.
    private static let mostRows = 20
    /// Troubles that are told at once: two screens of them.
    private static let mostTroubles = 12
    private static let mostProblems = 5
    private static let mostUploads = 4

    var lines: [String] {
        var lines = heading + facts.lines(width: look.width)
        let table = tableLines
        if !table.isEmpty { lines += [""] + table }
        let troubles = troubleLines
        if !troubles.isEmpty { lines += [""] + troubles }
        let problems = problemLines
        if !problems.isEmpty { lines += [""] + problems }
        return lines
    }

    // MARK: In all

    private var heading: [String] {
        let standing = status.standing
        var lines = wrapped(
            Output.plain(status.summary), width: look.width, indent: 2, hanging: 2)
        lines[0] = look.coloured(standing.mark(look), standing.colour) + lines[0].dropFirst()
        return lines
    }

    private var facts: Facts {
        var facts = Facts()
        facts.add("intake", intakeText)
        let bar = status.fullness.map { Gauge.bar($0, width: 20, look) + " " } ?? ""
        facts.add("disk", status.diskText.map { "\(bar)\($0) in \(status.directory)" })
        facts.add("rate", status.rate.map { "\($0.text) in the last minute" })
        let uploads = status.uploads
        for (connector, upload) in uploads.prefix(Self.mostUploads) {
            let bar = Gauge.bar(upload.part, width: 20, look)
            facts.add("uploading", "\(bar) \(upload.text): \(connector), \(upload.name)")
        }
        if uploads.count > Self.mostUploads {
            facts.add(
                "uploading",
                "and \(Findings.count(uploads.count - Self.mostUploads, "object")) more")
        }
        facts.add("at risk", status.riskText)
        facts.add("sluiced", processText)
        return facts
    }

    private var intakeText: String {
        let state =
            switch status.intake {
            case "running": "running"
            case "waiting": "waiting, see below"
            case "failed": "failed, see below"
            case "opening": "the spool is being read, event files wait for it"
            case let other: other
            }
        let files = status.activeFiles
        return state + (files > 0 ? "; \(Findings.count(files, "file")) in work" : "")
    }

    private var processText: String? {
        guard let version = status.version else { return nil }
        let process = status.pid.map { ", process \($0)" } ?? ""
        let started = status.started.map { ", started \(age(of: $0, at: status.now)) ago" } ?? ""
        return version + process + started
    }

    // MARK: Connectors

    /// The worst first, and within each kind by name.
    private var rows: [(standing: Standing, connector: DaemonStatus.Connector)] {
        status.connectors.map { ($0.standing(at: status.now), $0) }.sorted {
            ($0.standing, $0.connector.name) < ($1.standing, $1.connector.name)
        }
    }

    var tableLines: [String] {
        let rows = rows
        let isShort = !showsAll && rows.count > Self.mostRows
        let (shown, summed) =
            isShort
            ? (rows.filter { $0.standing != .well }, rows.filter { $0.standing == .well })
            : (rows, [])
        var table = ConnectorTable(now: status.now, look: look)
        for (standing, connector) in shown { table.add(connector, standing) }
        for orphan in status.orphans { table.add(orphan) }
        if !summed.isEmpty { table.add(summed.map(\.connector), besideOthers: !shown.isEmpty) }
        var lines = table.lines
        if !summed.isEmpty {
            lines += wrapped(
                "each one: sluicectl status --all, or sluicectl status CONNECTOR",
                width: look.width, indent: 2, hanging: 2)
        }
        return lines
    }

    var troubleLines: [String] {
        let all = status.troubles()
        let troubles = all.filter(\.isFailing) + all.filter { !$0.isFailing }
        let shown = showsAll ? troubles[...] : troubles.prefix(Self.mostTroubles)
        var lines = shown.flatMap { $0.lines(look) }
        if shown.count < troubles.count {
            let more = troubles.count - shown.count
            lines += wrapped(
                "and \(grouped(more)) more: sluicectl status --all", width: look.width, indent: 2)
        }
        return lines
    }
}

extension StatusReport {
    var problemLines: [String] {
        ProblemLines(
            status.problems, beside: status.troubles(), most: Self.mostProblems, now: status.now,
            look: look
        ).lines
    }
}

extension DaemonStatus {
    /// `1.2 M events (567 MB); the first are dropped in 45h, those of orders`; nil where nothing is.
    fileprivate var riskText: String? {
        let episodes = connectors.flatMap { connector in
            connector.episodes.filter { $0.atRisk.events > 0 }.map { (connector.name, $0) }
        }
        guard let first = episodes.first?.1.atRisk else { return nil }
        let amount = episodes.dropFirst().map(\.1.atRisk).reduce(first, +)
        let noun = amount.events == 1 ? amount.noun : amount.noun + "s"
        var text = "\(short(amount.events)) \(noun) (\(ByteCount(UInt64(amount.bytes))))"
        let next = episodes.filter { !$0.1.clockStands && $0.1.firstDrop != nil }.min {
            ($0.1.firstDrop ?? now) < ($1.1.firstDrop ?? now)
        }
        if let (name, episode) = next, let drop = episode.firstDrop {
            let verb = episode.isArchiving ? "archived" : "dropped"
            text +=
                drop > now
                ? "; the first are \(verb) in \(age(of: now, at: drop)), those of \(name)"
                : "; those of \(name) are \(verb) with the next rejected attempt"
        }
        return text
    }
}

extension Trouble {
    func lines(_ look: Look) -> [String] {
        let subject = Output.plain(subject)
        var lines = wrapped(
            "\(subject): \(Output.plain(text))", width: look.width, indent: 2)
        if lines[0].dropFirst(2).hasPrefix(subject) {
            lines[0] =
                "  " + look.coloured(subject, isFailing ? .red : .yellow)
                + lines[0].dropFirst(2 + subject.count)
        }
        return lines
    }
}

/// The last lines of the journal that told of something wrong, but those that a trouble tells anyway.
struct ProblemLines {
    private let problems: [DaemonStatus.Problem]
    private let now: Timestamp
    private let look: Look

    init(
        _ problems: [DaemonStatus.Problem], beside troubles: [Trouble], most: Int, now: Timestamp,
        look: Look
    ) {
        let isTold = { (problem: DaemonStatus.Problem) in
            troubles.contains { trouble in
                trouble.text.contains(Self.sentence(problem))
                    && trouble.subject == problem.connector
            }
        }
        self.problems = Array(problems.lazy.filter { !isTold($0) }.prefix(most))
        self.now = now
        self.look = look
    }

    /// None where there is none.
    var lines: [String] {
        (problems.isEmpty ? [] : ["lately:"])
            + problems.flatMap { problem in
                let times = problem.count > 1 ? " (\(grouped(problem.count)) times)" : ""
                let subject = problem.connector.map { "\($0): " } ?? ""
                return wrapped(
                    Output.plain(
                        "\(age(of: problem.time, at: now)) ago: "
                            + "\(subject)\(Self.sentence(problem))\(times)"),
                    width: look.width, indent: 2)
            }
    }

    /// Without the connector, which stands before it.
    private static func sentence(_ problem: DaemonStatus.Problem) -> String {
        guard let connector = problem.connector else { return problem.text }
        let subject = "connector \(connector): "
        return problem.text.hasPrefix(subject)
            ? String(problem.text.dropFirst(subject.count)) : problem.text
    }
}
