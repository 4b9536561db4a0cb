import Model

/// The daemon's status for people: the summary, the intake, a row a connector, and what to do.
struct StatusReport {
    var status: DaemonStatus
    /// Only this connector is shown, in more detail; nil for all.
    var name: String?
    var width: Int
    var colours: Bool

    var lines: [String] {
        let table = table
        var lines = wrapped(Output.plain(status.summary), width: width, indent: 0)
        lines += wrapped(Output.plain(intakeText), width: width, indent: 0)
        if !table.rows.isEmpty {
            lines += [""] + table.lines(width: width, colours: colours)
        }
        lines += details
        let troubles = status.troubles(of: name)
        if !troubles.isEmpty { lines.append("") }
        for trouble in troubles { lines += self.lines(trouble) }
        return lines
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
        var text = "intake: \(state)"
        if status.activeFiles > 0 {
            text += "; \(Findings.count(status.activeFiles, "file")) in work"
        }
        if let free = status.freeBytes {
            text += "; \(ByteCount(UInt64(max(0, free)))) free in \(status.directory)"
        }
        return text
    }

    private var table: TextTable {
        var table = TextTable(columns: [
            .init(title: "CONNECTOR"), .init(title: "HEALTH"),
            .init(title: "BACKLOG", isNumber: true), .init(title: "SIZE", isNumber: true),
            .init(title: "OLDEST", isNumber: true), .init(title: "DELIVERED", isNumber: true),
            .init(title: "LAST", isNumber: true),
        ])
        for connector in status.connectors where name == nil || name == connector.name {
            table.rows.append(row(connector))
        }
        for orphan in status.orphans where name == nil || name == orphan.name {
            let (events, size) = held(orphan.held)
            let cells = [Output.plain(orphan.name), "orphaned", events, size, "-", "-", "-"]
            table.rows.append(.init(cells: cells, colour: .yellow))
        }
        return table
    }

    private func row(_ connector: DaemonStatus.Connector) -> TextTable.Row {
        let (events, size) = held(connector.held)
        let (oldest, last) = (connector.oldest, connector.lastTime)
        let cells = [
            connector.name, connector.state.words, events, size,
            oldest.map { age(of: $0, at: status.now) } ?? "-",
            connector.delivered.events == 0 ? "-" : short(connector.delivered.events),
            last.map { age(of: $0, at: status.now) + " ago" } ?? "-",
        ]
        let colour: Output.Colour? =
            switch connector.state {
            case .delivering: nil
            case .backingOff, .paused, .unverified: .yellow
            case .credentialsFailing, .misconfigured, .other: .red
            }
        return .init(cells: cells.map(Output.plain), colour: colour)
    }

    private func held(_ amount: DaemonStatus.Amount) -> (events: String, size: String) {
        guard amount.objects > 0 || amount.events > 0 else { return ("-", "-") }
        return (short(amount.events), ByteCount(UInt64(amount.bytes)).description)
    }

    /// Seven characters at most: `999,999`, `1.2 M`, `123 M`.
    private func short(_ number: Int) -> String {
        guard number >= 1_000_000 else { return grouped(number) }
        var (value, unit, tenths) = (number / 1000, "k", 0)
        for next in ["M", "G", "T"] where value >= 1000 {
            tenths = value / 100
            (value, unit) = (value / 1000, next)
        }
        return value < 10 ? "\(tenths / 10).\(tenths % 10) \(unit)" : "\(value) \(unit)"
    }

    /// For one connector: where its objects go, and the whole key of the last. Not wrapped, to be copied.
    private var details: [String] {
        guard let connector = status.connectors.first(where: { $0.name == name }) else { return [] }
        let folder = connector.folder.isEmpty ? "" : connector.folder + "/"
        var lines = ["", "objects go to: s3://\(connector.bucket)/\(folder)"]
        if let key = connector.lastKey {
            lines.append("last object:   s3://\(connector.bucket)/\(key)")
        }
        return lines.map(Output.plain)
    }

    private func lines(_ trouble: Trouble) -> [String] {
        let subject = Output.plain(trouble.subject)
        var lines = wrapped(
            "\(subject): \(Output.plain(trouble.text))", width: width, indent: 2)
        if colours, lines[0].dropFirst(2).hasPrefix(subject) {
            let colour: Output.Colour = trouble.isFailing ? .red : .yellow
            lines[0] =
                "  " + Output.coloured(subject, colour) + lines[0].dropFirst(2 + subject.count)
        }
        return lines
    }
}
