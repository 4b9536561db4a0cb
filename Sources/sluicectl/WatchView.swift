import Model

/// The live screen: lines for a terminal of any size, made of the daemon's status and what was seen before.
struct WatchView {
    struct Size: Equatable {
        var columns: Int
        var rows: Int
    }

    var status: DaemonStatus
    /// Only this connector is shown.
    var name: String?
    var throughput: Throughput
    /// Why the daemon gives no answer since this status; nil while it does.
    var silence: String?
    /// Between two questions.
    var seconds: Int
    /// Lines of the body that were scrolled away.
    var scrolled = 0
    var size: Size
    /// Its width is that of `size`.
    var look: Look

    /// From so many rows on nothing has to be left out.
    private static let fullRows = 16

    /// As many lines as the terminal has, none longer than it, and by how much the body is scrolled in fact.
    var frame: (lines: [String], scrolled: Int) {
        let head = head
        let body = body
        let room = max(0, size.rows - head.count - 1)
        // The titles of the table stay while one of its rows is there.
        let titles = body.rows.isEmpty ? [] : body.titles
        let all = body.rows + body.rest
        let space = max(0, room - titles.count)
        let scrolled = max(0, min(self.scrolled, all.count - space))
        let shown = all[scrolled..<min(all.count, scrolled + space)]
        var lines = head
        if room > 0 {
            lines += scrolled < body.rows.count ? titles : titles.map { _ in "" }
            lines += shown
        }
        lines = Array(lines.prefix(max(0, size.rows - 1)))
        lines += Array(repeating: "", count: max(0, size.rows - 1 - lines.count))
        lines.append(footer(scrolled, shown.count, of: all.count))
        return (lines.suffix(size.rows).map { clipped($0, to: size.columns) }, scrolled)
    }

    // MARK: Parts

    private var head: [String] {
        let standing = status.standing
        let summary = wrapped(
            Output.plain(status.summary), width: size.columns, indent: 2, hanging: 2)
        var heading = summary
        heading[0] = look.coloured(standing.mark(look), standing.colour) + summary[0].dropFirst()
        if size.rows < Self.fullRows, heading.count > 1 { heading = [joined(heading)] }
        var lines = heading
        if let silence {
            let text = "no answer since \(status.now.extended): \(silence)"
            lines.insert(look.coloured(clipped(Output.plain(text), to: size.columns), .red), at: 0)
        }
        let gauges = gauges
        if size.rows >= Self.fullRows {
            lines += [""] + gauges + [""]
        } else if size.rows >= 10 {
            lines += gauges.prefix(2)
        } else if silence != nil {
            lines = [lines[0]]
        }
        return lines
    }

    private func joined(_ lines: [String]) -> String {
        lines[0] + lines.dropFirst().map { " " + $0.drop { $0 == " " } }.joined()
    }

    private var gauges: [String] {
        let width = max(10, min(60, size.columns - 48))
        // The most urgent first: a small terminal shows two of them.
        var lines: [String] = []
        if status.intake != "running" { lines.append("  intake  \(Output.plain(status.intake))") }
        if let line = windowLine(width) { lines.append(line) }
        lines.append(rateLine(width))
        if let line = uploadLine(width) { lines.append(line) }
        if let fullness = status.fullness, let text = status.diskText {
            let bar = Gauge.bar(fullness, width: width, look)
            lines.append("  disk    \(bar) \(Output.plain(text))")
        } else if let text = status.diskText {
            lines.append("  disk    \(Output.plain(text))")
        }
        return lines
    }

    private func rateLine(_ width: Int) -> String {
        let rates = throughput.rates(width, now: status.now)
        let top = rates.compactMap(\.self).max() ?? 0
        let line = Gauge.sparkline(rates, top: top, look)
        let now = status.rate?.events ?? rates.last.flatMap(\.self)
        return "  rate    \(line) \(now.map { "\(short($0)) events/s" } ?? "")"
            + (top > 0 ? ", most \(short(top))" : "")
    }

    /// Of all objects on their way that which takes longest.
    private func uploadLine(_ width: Int) -> String? {
        let uploads = status.uploads.filter { name == nil || name == $0.connector }
        guard let (connector, upload) = uploads.first else { return nil }
        let more = uploads.count > 1 ? ", and \(uploads.count - 1) more" : ""
        let bar = Gauge.bar(upload.part, width: width, look)
        return "  upload  \(bar) \(upload.text): " + Output.plain(connector) + more
    }

    /// Of all windows that of which least is left.
    private func windowLine(_ width: Int) -> String? {
        var next: (name: String, left: Int, window: Int)?
        for connector in status.connectors where name == nil || name == connector.name {
            for episode in connector.episodes where episode.atRisk.events > 0 {
                guard let left = episode.firstDropIn, let window = connector.expireAfter,
                    window > 0, left < next?.left ?? .max
                else { continue }
                next = (connector.name, left, window)
            }
        }
        guard let next else { return nil }
        let part = Double(next.window - next.left) / Double(next.window)
        let bar = Gauge.bar(part, width: width, look)
        let text = next.left > 0 ? "first drop in \(span(Int64(next.left)))" : "drops now"
        return "  window  \(bar) \(text): \(Output.plain(next.name))"
    }

    private var body: (titles: [String], rows: [String], rest: [String]) {
        if let name {
            return ([], [], ConnectorReport(status: status, name: name, look: look).lines)
        }
        let report = StatusReport(status: status, look: look, showsAll: true)
        let table = report.tableLines
        var rest: [String] = []
        for part in [report.troubleLines, report.problemLines] where !part.isEmpty {
            rest += [""] + part
        }
        return (Array(table.prefix(1)), Array(table.dropFirst()), rest)
    }

    private func footer(_ scrolled: Int, _ shown: Int, of count: Int) -> String {
        let isWhole = shown >= count
        let place = isWhole ? "" : "\(scrolled + 1)-\(scrolled + shown) of \(count)"
        let keys = ["q quit", isWhole ? nil : "j k space scroll", "every \(seconds) s"]
        var left = ""
        for key in keys.compactMap(\.self) {
            let longer = left.isEmpty ? key : left + "  " + key
            if longer.count + place.count + 2 <= size.columns { left = longer }
        }
        let space = size.columns - left.count - place.count
        return look.coloured(left + String(repeating: " ", count: max(1, space)) + place, .bold)
    }
}

/// The first characters of a line, and whatever sets colours in it.
func clipped(_ line: String, to width: Int) -> String {
    var (text, count, isEscape) = ("", 0, false)
    for character in line {
        if character == "\u{1B}" { isEscape = true }
        if isEscape {
            text.append(character)
            if character == "m" { isEscape = false }
        } else if count < width {
            text.append(character)
            count += 1
        }
    }
    return text
}
