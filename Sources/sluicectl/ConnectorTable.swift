import Model

/// A row for each connector: how it does, what waits, how fast it goes.
struct ConnectorTable {
    private let now: Timestamp
    private let look: Look
    private var rows: [TextTable.Row] = []
    private var hasRates = false
    private var hasDrops = false

    init(now: Timestamp, look: Look) {
        self.now = now
        self.look = look
    }

    mutating func add(_ connector: DaemonStatus.Connector, _ standing: Standing) {
        let drop = connector.episodes.filter { $0.atRisk.events > 0 && !$0.clockStands }
            .compactMap(\.firstDrop).min()
        var cells = Cells(name: connector.name, health: connector.state.words)
        cells.held = connector.held
        cells.oldest = connector.oldest.map { age(of: $0, at: now) }
        cells.drop = drop.map { $0 > now ? age(of: now, at: $0) : "now" }
        cells.rate = connector.rate
        cells.delivered = connector.delivered.events
        cells.last = connector.lastTime.map { age(of: $0, at: now) + " ago" }
        add(cells, standing)
    }

    mutating func add(_ orphan: DaemonStatus.Orphan) {
        var cells = Cells(name: orphan.name, health: "orphaned")
        cells.held = orphan.held
        add(cells, .waiting)
    }

    /// All of these, which are well, in one row.
    mutating func add(_ connectors: [DaemonStatus.Connector], besideOthers: Bool) {
        let more = besideOthers ? " more" : ""
        var cells = Cells(name: "\(grouped(connectors.count))\(more)", health: "delivering")
        cells.held = connectors.map(\.held).reduce(.init(), +)
        cells.oldest = connectors.compactMap(\.oldest).min().map { age(of: $0, at: now) }
        let rates = connectors.compactMap(\.rate)
        cells.rate = rates.isEmpty ? nil : rates.reduce(.init(), +)
        cells.delivered = connectors.reduce(0) { $0 + $1.delivered.events }
        cells.last = connectors.compactMap(\.lastTime).max().map { age(of: $0, at: now) + " ago" }
        add(cells, .well)
    }

    private struct Cells {
        var name: String
        var health: String
        var held = DaemonStatus.Amount()
        var oldest: String?
        var drop: String?
        var rate: DaemonStatus.Rate?
        var delivered = 0
        var last: String?
    }

    private mutating func add(_ cells: Cells, _ standing: Standing) {
        hasRates = hasRates || cells.rate != nil
        hasDrops = hasDrops || cells.drop != nil
        let isHolding = cells.held.objects > 0 || cells.held.events > 0
        let rate = cells.rate.flatMap { $0.events > 0 ? "\(short($0.events))/s" : nil }
        let texts = [
            cells.name, cells.health, isHolding ? short(cells.held.events) : "-",
            isHolding ? ByteCount(UInt64(cells.held.bytes)).description : "-", cells.oldest ?? "-",
            cells.drop ?? "-", rate ?? "-", cells.last ?? "-",
            cells.delivered > 0 ? short(cells.delivered) : "-",
        ]
        rows.append(
            .init(
                cells: texts.map(Output.plain), colour: standing.colour, mark: standing.mark(look),
                isPlain: standing == .well))
    }

    /// None without rows.
    var lines: [String] {
        guard !rows.isEmpty else { return [] }
        let all: [(column: TextTable.Column, isShown: Bool)] = [
            (.init(title: "CONNECTOR", importance: 9), true),
            (.init(title: "HEALTH", importance: 9), true),
            (.init(title: "BACKLOG", isNumber: true, importance: 7), true),
            (.init(title: "SIZE", isNumber: true, importance: 5), true),
            (.init(title: "OLDEST", isNumber: true, importance: 4), true),
            (.init(title: "DROP IN", isNumber: true, importance: 8), hasDrops),
            (.init(title: "RATE", isNumber: true, importance: 6), hasRates),
            (.init(title: "LAST", isNumber: true, importance: 3), true),
            (.init(title: "DELIVERED", isNumber: true, importance: 2), true),
        ]
        let shown = all.indices.filter { all[$0].isShown }
        var table = TextTable(columns: shown.map { all[$0].column })
        table.rows = rows.map { row in
            var row = row
            row.cells = shown.map { row.cells[$0] }
            return row
        }
        return table.lines(width: look.width, colours: look.colours)
    }
}
