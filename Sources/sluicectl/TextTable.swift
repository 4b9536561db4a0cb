/// Columns of text, aligned, not wider than a line of the terminal.
///
/// The first column gives way to the others: a text for which it has no room gets a line of its own,
/// before the rest of its row. Where even that does not fit, columns are left out, the least important
/// first, and of two that are alike the last.
struct TextTable {
    struct Column {
        var title: String
        var isNumber = false
        /// The least is left out first.
        var importance = 0
    }

    struct Row {
        var cells: [String]
        /// The colour of its mark and its second cell.
        var colour: Output.Colour?
        /// One character before its first cell, where any row has one.
        var mark: String?
        /// Only its mark has the colour.
        var isPlain = false
    }

    /// Between two columns.
    private static let gap = "  "
    /// What the first column keeps, if its texts are as long as that.
    private static let leastFirst = 10

    var columns: [Column]
    var rows: [Row] = []

    func lines(width: Int, colours: Bool) -> [String] {
        let hasMarks = rows.contains { $0.mark != nil }
        let room = width - (hasMarks ? 2 : 0)
        let lengths = columns.indices.map { index in
            rows.reduce(columns[index].title.count) { max($0, $1.cells[index].count) }
        }
        var shown = Array(columns.indices)
        func rest() -> Int { shown.dropFirst().reduce(0) { $0 + lengths[$1] + Self.gap.count } }
        while shown.count > 2, rest() + min(lengths[0], Self.leastFirst) > room {
            let least = shown.dropFirst(2).reversed().min {
                columns[$0].importance < columns[$1].importance
            }
            shown.removeAll { $0 == least }
        }
        let first = min(lengths[0], max(Self.leastFirst, room - rest()))
        let widths = shown.map { $0 == 0 ? first : lengths[$0] }

        let titles = Row(cells: columns.map(\.title), mark: hasMarks ? " " : nil)
        return ([titles] + rows).flatMap { line($0, shown, widths, colours: colours) }
    }

    private func line(
        _ row: Row, _ shown: [Int], _ widths: [Int], colours: Bool
    ) -> [String] {
        func coloured(_ text: String) -> String {
            guard colours, let colour = row.colour else { return text }
            return Output.coloured(text, colour)
        }
        var cells: [String] = []
        var before: [String] = []
        let mark = row.mark.map { coloured($0) + " " } ?? ""
        for (index, width) in zip(shown, widths) {
            var text = row.cells[index]
            if index == 0, text.count > width {
                before.append(mark + text)
                text = ""
            }
            let space = String(repeating: " ", count: max(0, width - text.count))
            if index == 1, !row.isPlain { text = coloured(text) }
            cells.append(columns[index].isNumber ? space + text : text + space)
        }
        let isContinued = !before.isEmpty && row.mark != nil
        var line = (isContinued ? "  " : mark) + cells.joined(separator: Self.gap)
        while line.last == " " { line.removeLast() }
        return before + [line]
    }
}

/// Breaks a paragraph at spaces; lines after the first are indented more. A longer word stays whole.
func wrapped(_ text: String, width: Int, indent: Int, hanging: Int? = nil) -> [String] {
    var lines: [String] = []
    var line = String(repeating: " ", count: indent)
    var isEmpty = true
    for word in text.split(separator: " ") {
        if !isEmpty, line.count + 1 + word.count > width {
            lines.append(line)
            line = String(repeating: " ", count: hanging ?? indent + 2)
            isEmpty = true
        }
        line += (isEmpty ? "" : " ") + word
        isEmpty = false
    }
    return lines + [line]
}

/// Facts, a label before each, with the texts below one another.
struct Facts {
    private var facts: [(label: String, text: String)] = []

    mutating func add(_ label: String, _ text: String?) {
        if let text { facts.append((label, Output.plain(text))) }
    }

    func lines(width: Int) -> [String] {
        let room = facts.reduce(0) { max($0, $1.label.count) } + 2
        return facts.flatMap { label, text in
            let head = String(repeating: " ", count: room - label.count) + label + ": "
            // The label is kept apart, since a wrapped text has single spaces.
            let body = wrapped(text, width: width, indent: room + 2, hanging: room + 2)
            return [head + body[0].dropFirst(room + 2)] + body.dropFirst()
        }
    }
}
