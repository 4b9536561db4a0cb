import Model

/// Reads what only connectors of kind "data-export" have: how keys are made, and what becomes of objects.
struct ExportReader {
    let root: TableReader

    private static let kind = "kind = \(quoted(ConnectorSettings.Kind.dataExport.rawValue))"

    func read(into connector: inout ConnectorSettings) {
        for key in [
            "integration_id", "events", "default_event_type", "format", "compression",
            "compression_level", "transform", "batch",
        ] {
            root.refuse(key, "has no meaning with \(Self.kind): files go as they are; remove it")
        }
        connector.folder = ""
        connector.events = []
        connector.keyTemplate = template() ?? connector.keyTemplate
        connector.onConflict =
            root.choice("on_conflict", of: ConnectorSettings.OnConflict.self)
            ?? connector.onConflict
        connector.removeAfter = root.duration(
            "remove_after", in: .seconds(1)...(.seconds(366 * 86_400)))
    }

    /// Of a connector of the other kind.
    func refuseKeys() {
        for key in ["key", "on_conflict", "remove_after"] {
            root.refuse(key, "has a meaning only with \(Self.kind)")
        }
    }

    private func template() -> KeyTemplate? {
        guard let text = root.string("key") else { return nil }
        do throws(KeyTemplate.Fault) {
            return try KeyTemplate(text)
        } catch {
            root.problem("key", "\(quoted(text)) \(error)")
            return nil
        }
    }
}
