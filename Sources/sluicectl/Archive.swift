import Model

/// The expired batches that wait for a decision, read from the answer to `GET /archive`.
struct Archive {
    struct Batch {
        var connector: String
        var id: String
        var eventType: String
        var amount: DaemonStatus.Amount
        var acceptedFrom: String
    }

    var batches: [Batch]

    /// nil where the document is no archive.
    init?(_ document: JSONText) {
        guard let elements = document["archive"]?.elements else { return nil }
        batches = elements.compactMap(Batch.init)
        guard batches.count == elements.count else { return nil }
    }

    /// All of them together.
    var sum: DaemonStatus.Amount { batches.map(\.amount).reduce(.init(), +) }

    func lines(width: Int) -> [String] {
        guard !batches.isEmpty else { return ["nothing is archived"] }
        var table = TextTable(columns: [
            .init(title: "BATCH"), .init(title: "CONNECTOR"), .init(title: "EVENT TYPE"),
            .init(title: "EVENTS", isNumber: true), .init(title: "SIZE", isNumber: true),
            .init(title: "ACCEPTED"),
        ])
        table.rows = batches.map { batch in
            let cells = [
                batch.id, batch.connector, batch.eventType, grouped(batch.amount.events),
                ByteCount(UInt64(batch.amount.bytes)).description, batch.acceptedFrom,
            ]
            return .init(cells: cells.map(Output.plain))
        }
        return table.lines(width: width, colours: false) + ["", "together \(sum.text)"]
    }
}

extension Archive.Batch {
    fileprivate init?(_ value: JSONText) {
        guard let connector = value["connector"]?.string, let id = value["batch"]?.string else {
            return nil
        }
        self.connector = connector
        self.id = id
        eventType = value["event_type"]?.string ?? ""
        amount = .init(value)
        amount.objects = 1
        acceptedFrom = value["accepted_from"]?.string ?? ""
    }
}
