import HTTPServer
import Model

/// What a request on the control socket asks for, as far as the request alone can tell.
nonisolated enum ControlRequest: Equatable {
    case page
    case status
    case history
    case metrics
    case health
    /// What is archived, of one connector or of all.
    case archive(ConnectorName?)
    case flush(ConnectorName?)
    case drain(ConnectorName?)
    case quarantine(QuarantineQuestion)
    case object(ObjectQuestion)
    case change(Verb, ConnectorName, batch: String?)

    /// Whether it changes nothing and shows nothing that only members of the daemon's group may see.
    var isForEverybody: Bool {
        switch self {
        case .page, .status, .history, .metrics, .health: true
        case .archive, .flush, .drain, .quarantine, .object, .change: false
        }
    }

    /// What may be asked for with POST, of one connector.
    enum Verb: String {
        case pause = "/pause"
        case resume = "/resume"
        case discard = "/discard"
        case rekey = "/rekey"
        case retryArchive = "/archive/retry"
        case discardArchive = "/archive/discard"
    }

    /// Why it is no request.
    enum Fault: Error, Equatable {
        case path
        case method
        case connectorMissing
        /// No connector can have, or has, this name.
        case connector(String)
        case idMissing
        /// None is named, or one that S3 would not take.
        case keyMissing
        /// Nothing in quarantine can have this name.
        case id(String)
        case number(String)
    }

    @MainActor
    init(_ request: HTTPRequest) throws(Fault) {
        if let question = try QuarantineQuestion(request) {
            self = .quarantine(question)
            return
        }
        if let question = try ObjectQuestion(request) {
            self = .object(question)
            return
        }
        let path = request.path
        let verb = Verb(rawValue: path)
        let known = [
            "/", "/flush", "/drain", "/status", "/history", "/metrics", "/healthz", "/archive",
        ]
        guard verb != nil || known.contains(path) else { throw .path }
        let wanted: HTTPRequest.Method =
            verb != nil || ["/flush", "/drain"].contains(path) ? .post : .get
        guard request.method == wanted else { throw .method }
        if let verb {
            guard let name = try Self.connector(request) else { throw .connectorMissing }
            self = .change(verb, name, batch: request.query["batch"])
            return
        }
        switch path {
        case "/": self = .page
        case "/status": self = .status
        case "/history": self = .history
        case "/metrics": self = .metrics
        case "/archive": self = .archive(try Self.connector(request))
        case "/drain": self = .drain(try Self.connector(request))
        case "/flush": self = .flush(try Self.connector(request))
        default: self = .health
        }
    }

    /// nil: none is named.
    @MainActor
    static func connector(_ request: HTTPRequest) throws(Fault) -> ConnectorName? {
        guard let text = request.query["connector"] else { return nil }
        guard let name = ConnectorName(text) else { throw .connector(text) }
        return name
    }
}

extension ControlRequest.Fault {
    @MainActor
    var response: HTTPResponse {
        switch self {
        case .path: .text("there is no such path", status: 404)
        case .method: .text("another method is meant for this path", status: 405)
        case .connectorMissing: .text("connector= is missing", status: 400)
        case .connector(let name):
            .text("there is no connector \(JSONText.quoted(name))", status: 404)
        case .idMissing: .text("id= is missing", status: 400)
        case .keyMissing: .text("key= is missing, or no key of an object", status: 400)
        case .id(let id):
            .text("nothing in quarantine is called \(JSONText.quoted(id))", status: 404)
        case .number(let text):
            .text("\(JSONText.quoted(text)) is no number", status: 400)
        }
    }
}
