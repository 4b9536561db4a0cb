import Configuration
import Glibc
import Model

/// One event of each event type that a connector names, put into the spool for the daemon to deliver.
struct PlaceholderEvents {
    /// Sent where the connector takes everything and names nothing.
    static let type = "sluice.Test"

    let types: [String]
    /// Patterns for which no type is known.
    let skipped: [String]
    private let incoming: Incoming
    private let now: Timestamp

    /// Refuses where there is no place in the spool for the connector.
    init(for connector: ConnectorSettings, spool: String) throws(Refusal) {
        (types, skipped) = Self.types(of: connector)
        guard !types.isEmpty else {
            throw Refusal(
                "connector \(connector.name) names no event type without a \"*\", so there is no "
                    + "event to send; submit one of your own")
        }
        incoming = try Incoming(spool: spool, connector: connector.name)
        now = Timestamp(unixSeconds: Int64(time(nil)))
    }

    /// The types that are named, and the patterns that name none.
    static func types(of connector: ConnectorSettings) -> (known: [String], skipped: [String]) {
        let patterns = connector.events.map(\.description)
        var known = patterns.filter { !$0.contains("*") }
        let isWanted = { (type: String) in connector.events.contains { $0.matches(type) } }
        if let type = connector.defaultEventType, isWanted(type), !known.contains(type) {
            known.append(type)
        }
        if known.isEmpty, isWanted(type) { known = [type] }
        let skipped = patterns.filter { pattern in
            !known.contains { EventPattern(pattern)?.matches($0) == true }
        }
        return (known, skipped)
    }

    /// An event a line.
    static func text(types: [String], now: Timestamp) -> String {
        types.enumerated().map { index, type in
            let event = JSONText.object([
                ("event_type", .string(type)),
                ("id", .string("sluice-test-\(now.unixSeconds)-\(index + 1)")),
                ("time", .integer(Int(now.unixSeconds))), ("sluice_test", .boolean(true)),
            ])
            return event.text + "\n"
        }.joined()
    }

    func send() -> TrialStep {
        let text = Self.text(types: types, now: now)
        guard let name = EventFileName(ofPath: "sluice-test-\(now.basic).jsonl") else {
            preconditionFailure("the extension is one of an event file")
        }
        do throws(Refusal) {
            let submitted = try incoming.submit(Array(text.utf8), as: name)
            var words =
                "\(Findings.count(types.count, "placeholder event")) "
                + "(\(types.joined(separator: ", "))) in \(incoming.directory)/\(submitted.name); "
                + "\"sluicectl status\" shows when they are delivered"
            if !skipped.isEmpty {
                words += "; none for \(skipped.joined(separator: ", ")), which names no type"
            }
            return TrialStep(name: "events", result: .ok, text: words)
        } catch {
            return TrialStep(name: "events", result: .failed, text: error.text)
        }
    }

    var notSent: TrialStep {
        TrialStep(name: "events", result: .skipped, text: "not sent, since a step failed")
    }
}
