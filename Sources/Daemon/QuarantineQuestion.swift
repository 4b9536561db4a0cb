import HTTPServer
import Model
import Spool

/// What a request asks of the quarantine, as far as the request alone can tell.
nonisolated enum QuarantineQuestion: Equatable {
    /// What lies there, from after a thing on.
    case list(after: QuarantineID?, limit: Int)
    case lines(QuarantineID, limit: Int)
    case bytes(QuarantineID, from: UInt64)
    /// nil: all that lies there.
    case decide(QuarantineVerb, QuarantineID?)

    private static let paths: [String: HTTPRequest.Method] = [
        "/quarantine": .get, "/quarantine/item": .get, "/quarantine/bytes": .get,
        "/quarantine/retry": .post, "/quarantine/discard": .post,
    ]
    private static let itemsUnlessSaid = 100
    private static let linesUnlessSaid = 10

    /// nil where it is about something else.
    @MainActor
    init?(_ request: HTTPRequest) throws(ControlRequest.Fault) {
        guard let method = Self.paths[request.path] else { return nil }
        guard request.method == method else { throw .method }
        let query = request.query
        switch request.path {
        case "/quarantine":
            self = .list(
                after: try query["after"].map(Self.id),
                limit: try Self.number(query["limit"]) ?? Self.itemsUnlessSaid)
        case "/quarantine/item":
            self = .lines(
                try Self.id(query["id"]),
                limit: try Self.number(query["lines"]) ?? Self.linesUnlessSaid)
        case "/quarantine/bytes":
            self = .bytes(
                try Self.id(query["id"]), from: UInt64(try Self.number(query["from"]) ?? 0))
        default:
            let id = query["id"] == "all" ? nil : try Self.id(query["id"])
            let connector = try ControlRequest.connector(request)
            self = .decide(request.path == "/quarantine/retry" ? .retry(connector) : .discard, id)
        }
    }

    private static func id(_ text: String?) throws(ControlRequest.Fault) -> QuarantineID {
        guard let text else { throw .idMissing }
        guard let id = QuarantineID(text) else { throw .id(text) }
        return id
    }

    private static func number(_ text: String?) throws(ControlRequest.Fault) -> Int? {
        guard let text else { return nil }
        guard let number = Int(text), number >= 0 else { throw .number(text) }
        return number
    }
}
