import Avro
import Configuration
import Glibc
import Model

/// One event of each event type that a connector selects, put into the spool for the daemon to deliver.
///
/// The `id` of each begins with `sluice-test-`: so whoever meets one in a bucket knows it.
struct PlaceholderEvents {
    /// Of this many types the names are told.
    private static let mostNames = 8

    private let plan: PlaceholderPlan
    private let text: String
    private let incoming: Incoming
    private let now: Timestamp

    /// Refuses where there is no event to send, or no place in the spool for the connector.
    ///
    /// - Parameter schemas: nil where the connector's format needs none.
    init(
        for connector: ConnectorSettings, schemas: SchemaSet?, spool: String
    ) throws(Refusal) {
        now = Timestamp(unixSeconds: Int64(time(nil)))
        var plan = PlaceholderPlan(for: connector, schemas: schemas)
        text = Self.text(of: &plan, schemas: schemas, now: now)
        self.plan = plan
        guard !plan.types.isEmpty else {
            throw Refusal(
                "connector \(connector.name): there is no event type to send a placeholder of: "
                    + "\(plan.words); submit an event of your own")
        }
        incoming = try Incoming(spool: spool, connector: connector.name)
    }

    /// An event a line; types that cannot have one are taken out of the plan.
    static func text(
        of plan: inout PlaceholderPlan, schemas: SchemaSet?, now: Timestamp
    ) -> String {
        var text = ""
        for (index, type) in plan.types.enumerated() {
            let id = "\(PlaceholderRecord.mark)-\(now.unixSeconds)-\(index + 1)"
            let event =
                if let schema = schemas?[type] {
                    PlaceholderRecord.event(of: type, schema, id: id, now: now)
                } else {
                    plainEvent(of: type, id: id, now: now)
                }
            if let event {
                text += event.text + "\n"
            } else {
                plan.skip(type, "has more required fields than an event may hold")
            }
        }
        return text
    }

    /// With all that any event may be asked for.
    private static func plainEvent(of type: String, id: String, now: Timestamp) -> JSONText? {
        .object([
            ("event_type", .string(type)), ("id", .string(id)),
            ("time", .integer(Int(now.unixSeconds))), ("sluice_test", .boolean(true)),
        ])
    }

    func send() -> TrialStep {
        guard let name = EventFileName(ofPath: "sluice-test-\(now.basic).jsonl") else {
            preconditionFailure("the extension is one of an event file")
        }
        do throws(Refusal) {
            let submitted = try incoming.submit(Array(text.utf8), as: name)
            var words =
                "\(Findings.count(plan.types.count, "placeholder event")) (\(names)) in "
                + "\(incoming.directory)/\(submitted.name), whose ids begin with "
                + "\(PlaceholderRecord.mark)-; \"sluicectl status\" shows when they are delivered"
            if !plan.skipped.isEmpty { words += "; \(plan.words)" }
            return TrialStep(name: "events", result: .ok, text: words)
        } catch {
            return TrialStep(name: "events", result: .failed, text: error.text)
        }
    }

    private var names: String {
        let named = plan.types.prefix(Self.mostNames).joined(separator: ", ")
        let others = plan.types.count - Self.mostNames
        return others > 0 ? "\(named) and \(others) more" : named
    }

    var notSent: TrialStep {
        TrialStep(name: "events", result: .skipped, text: "not sent, since a step failed")
    }
}
