import Model

/// What was refused, read from the answer to `GET /quarantine`.
struct QuarantineList {
    struct Item {
        var id: String
        var file: String
        var isFile: Bool
        /// nil: nobody knows how many there are.
        var events: Int?
        var bytes: Int
        var quarantined: String
        var connectors: [String]
        var reasons: [(text: String, count: Int)]
        /// Why it cannot be tried again; nil: it can.
        var obstacle: String?
    }

    var items: [Item]
    var total: Int
    /// After which ID there are more.
    var next: String?

    /// nil where the document is no such list.
    init?(_ document: JSONText) {
        guard let elements = document["quarantine"]?.elements,
            let total = document["total"]?.integer
        else { return nil }
        items = elements.compactMap(Item.init)
        guard items.count == elements.count else { return nil }
        self.total = total
        next = document["next"]?.string
    }

    func lines(width: Int) -> [String] {
        guard total > 0 else { return ["nothing is in quarantine"] }
        guard !items.isEmpty else { return ["nothing more is in quarantine"] }
        var table = TextTable(columns: [
            .init(title: "ID"), .init(title: "EVENTS", isNumber: true),
            .init(title: "SIZE", isNumber: true), .init(title: "REFUSED"), .init(title: "BY"),
            .init(title: "FILE"),
        ])
        table.rows = items.map { item in
            let cells = [
                item.id, item.events.map(grouped) ?? "-",
                ByteCount(UInt64(item.bytes)).description, item.quarantined,
                item.connectors.isEmpty ? "-" : item.connectors.joined(separator: ","),
                item.file,
            ]
            return .init(cells: cells.map(Output.plain))
        }
        // Each row with the most frequent reason below it.
        let rows = table.lines(width: max(width, 100), colours: false)
        var lines = [rows[0]]
        for (row, item) in zip(rows.dropFirst(), items) {
            lines.append(row)
            if let reason = item.reasons.first {
                let more = item.reasons.count > 1 ? ", and more" : ""
                lines.append("  " + Output.plain(reason.text) + more)
            }
        }
        let counted = items.count == total ? "" : " of \(grouped(total))"
        lines += ["", "\(Findings.count(items.count, "item"))\(counted)"]
        if let next {
            lines.append("more: sluicectl quarantine list --after \(Output.plain(next))")
        }
        return lines
    }
}

extension QuarantineList.Item {
    init?(_ value: JSONText) {
        guard let id = value["id"]?.string, let file = value["file"]?.string else { return nil }
        self.id = id
        self.file = file
        isFile = value["kind"]?.string == "file"
        events = value["events"]?.integer
        bytes = max(0, value["bytes"]?.integer ?? 0)
        quarantined = value["quarantined"]?.string ?? ""
        connectors = value["connectors"]?.elements?.compactMap(\.string) ?? []
        reasons =
            value["reasons"]?.elements?.compactMap { reason in
                reason["reason"]?.string.map { ($0, reason["count"]?.integer ?? 1) }
            } ?? []
        obstacle = value["not_retriable"]?.string
    }

    /// What it is, for a sentence.
    var words: String {
        events.map { "\(Findings.count($0, "refused event")) of \(file)" } ?? "the file \(file)"
    }
}
