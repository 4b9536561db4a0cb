import ArgumentParser
import Configuration
import Model

/// What becomes of what is submitted, as far as this program may know it.
enum SubmitTarget {
    /// A connector of kind "currents", or none: events.
    case events
    /// A connector that takes files as they are.
    case files(ConnectorSettings)
    /// A connector whose file may not be read.
    case unknown(ConnectorName)

    static func of(_ connector: ConnectorName?, beside file: String) -> SubmitTarget {
        guard let connector else { return .events }
        guard let settings = ConfigurationLoader.loadDestination(connector, beside: file) else {
            return .unknown(connector)
        }
        return settings.kind == .dataExport ? .files(settings) : .events
    }

    /// What a file is to be called in the spool.
    ///
    /// - Parameters:
    ///   - file: a path, or "-" for stdin.
    ///   - asked: what `--as` says.
    func name(of file: String, as asked: String?) throws(Refusal) -> IncomingName {
        switch self {
        case .events: return .events(try Self.eventFile(file))
        case .files: return .export(try Self.export(file, as: asked))
        // Names of event files may be made fit for the spool; all others say what an object is to be called.
        case .unknown:
            if asked == nil, let name = try? Self.eventFile(file) { return .events(name) }
            return .export(try Self.export(file, as: asked))
        }
    }

    private static func eventFile(_ file: String) throws(Refusal) -> EventFileName {
        guard let name = file == "-" ? EventFileName.ofInput : EventFileName(ofPath: file) else {
            throw Refusal("\(file): \(EventFileName.rule)", .validationFailure)
        }
        return name
    }

    private static func export(_ file: String, as asked: String?) throws(Refusal) -> ExportName {
        let isDirectory = asked?.hasSuffix("/") ?? true
        if file == "-", isDirectory {
            throw Refusal("stdin has no name; give it one: --as NAME", .validationFailure)
        }
        let own = file.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init)
        let path = isDirectory ? (asked ?? "") + (own ?? "") : asked ?? ""
        do throws(ExportName.Fault) {
            return try ExportName(path: path)
        } catch {
            let advice = asked == nil ? "; --as NAME gives it another" : ""
            throw Refusal(
                "\(asked == nil ? file : path): its name \(error)\(advice)", .validationFailure)
        }
    }

    /// Where what was submitted will lie; nil where nobody can tell.
    func address(_ name: IncomingName, _ submitted: Incoming.Submitted) -> ObjectAddress? {
        guard case .files(let connector) = self, case .export(let name) = name else { return nil }
        let file = ExportFile(
            connector: connector.name, name: name, modified: submitted.modified,
            size: UInt64(submitted.bytes))
        return ObjectAddress(of: file, under: connector)
    }
}
