/// Columns of text, aligned, not wider than a line of the terminal.
///
/// The first column gives way to the others: a text for which it has no room gets a line of its own,
/// before the rest of its row. Where even that does not fit, columns are left out, the last first.
struct TextTable {
    struct Column {
        var title: String
        var isNumber = false
    }

    struct Row {
        var cells: [String]
        /// The colour of its second cell.
        var colour: Output.Colour?
    }

    /// Between two columns.
    private static let gap = "  "
    /// What the first column keeps, if its texts are as long as that.
    private static let leastFirst = 10

    var columns: [Column]
    var rows: [Row] = []

    func lines(width: Int, colours: Bool) -> [String] {
        var widths = columns.indices.map { index in
            rows.reduce(columns[index].title.count) { max($0, $1.cells[index].count) }
        }
        let longestFirst = widths[0]
        func rest() -> Int { widths.dropFirst().reduce(0) { $0 + $1 + Self.gap.count } }
        while widths.count > 2, rest() + min(longestFirst, Self.leastFirst) > width {
            widths.removeLast()
        }
        widths[0] = min(longestFirst, max(Self.leastFirst, width - rest()))

        let titles = Row(cells: columns.map(\.title))
        return line(titles, widths, colours: false)
            + rows.flatMap { line($0, widths, colours: colours) }
    }

    private func line(_ row: Row, _ widths: [Int], colours: Bool) -> [String] {
        var cells: [String] = []
        var before: [String] = []
        for (index, width) in widths.enumerated() {
            var text = row.cells[index]
            if index == 0, text.count > width {
                before.append(text)
                text = ""
            }
            let space = String(repeating: " ", count: max(0, width - text.count))
            if colours, index == 1, let colour = row.colour {
                text = Output.coloured(text, colour)
            }
            cells.append(columns[index].isNumber ? space + text : text + space)
        }
        var line = cells.joined(separator: Self.gap)
        while line.last == " " { line.removeLast() }
        return before + [line]
    }
}

/// Breaks a paragraph at spaces; lines after the first are indented more. A longer word stays whole.
func wrapped(_ text: String, width: Int, indent: Int) -> [String] {
    var lines: [String] = []
    var line = String(repeating: " ", count: indent)
    var isEmpty = true
    for word in text.split(separator: " ") {
        if !isEmpty, line.count + 1 + word.count > width {
            lines.append(line)
            line = String(repeating: " ", count: indent + 2)
            isEmpty = true
        }
        line += (isEmpty ? "" : " ") + word
        isEmpty = false
    }
    return lines + [line]
}
