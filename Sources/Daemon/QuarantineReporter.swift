import Model
import Spool
import Systemd

/// The lines about what leaves quarantine.
extension Reporter {
    /// Past so many in one group, one line with a count takes the place of one line each.
    private static let mostLines = 10

    func retried(_ items: [QuarantineItem], only connector: ConnectorName?) {
        let part = connector.map { ", as far as connector \($0) refused it" } ?? ""
        tell(items, .quarantineRetried, only: connector) { "\($0) is tried again\(part)" }
    }

    func discarded(_ items: [QuarantineItem]) {
        tell(items, .quarantineDiscarded, only: nil) { "\($0) is given up for good, as asked" }
    }

    private func tell(
        _ items: [QuarantineItem], _ kind: MessageKind, only connector: ConnectorName?,
        _ sentence: (String) -> String
    ) {
        var fields = connector.map { [JournalField.connector($0.description)] } ?? []
        guard items.count > Self.mostLines, let first = items.first, let last = items.last else {
            for item in items {
                let events = item.events(of: connector)
                let what = events.map { count($0, "refused event") } ?? "the whole file"
                var fields = fields + [.file(item.file), .bytes(item.bytes)]
                if let events { fields.append(.events(events)) }
                say(kind, sentence("\(item.id), \(what) of \(item.file),"), fields)
            }
            return
        }
        let events = items.reduce(0) { $0 + ($1.events(of: connector) ?? 0) }
        fields += [.events(events), .bytes(items.reduce(UInt64(0)) { $0 + $1.bytes })]
        let files = items.count(where: \.isFile)
        say(
            kind,
            sentence(
                "what \(grouped(items.count)) items from \(first.id) to \(last.id) hold, "
                    + "\(count(events, "refused event")) and \(count(files, "whole file")),"),
            fields)
    }
}
