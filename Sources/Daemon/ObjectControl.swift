import Delivery
import Digest
import HTTPServer
import Model
import S3
import Spool

/// Answers how far the object of an export is.
extension ControlServer {
    func answer(_ question: ObjectQuestion, _ exchange: HTTPExchange, _ daemon: Daemon) {
        guard let outbox = daemon.outboxes[question.connector] else {
            let name = question.connector.description
            return exchange.answer(ControlRequest.Fault.connector(name).response)
        }
        guard let settings = outbox.settings, settings.kind == .dataExport else {
            let what =
                outbox.settings == nil ? "is not in the configuration" : "takes events, not files"
            return exchange.answer(
                .text("connector \"\(question.connector)\" \(what)", status: 409))
        }
        outbox.tell(question) { report in
            exchange.answer(.json(Array((report.json.text + "\n").utf8)))
        }
    }
}

/// How far an object is.
nonisolated enum ObjectReport: Equatable {
    case uploading(sent: UInt64, of: UInt64)
    case fate(ExportFates.Fate)
    /// What S3 says of the key.
    case found(size: UInt64?, digest: String?)
    case absent
    /// Why S3 cannot be asked.
    case unknown(String)

    var json: JSONText {
        switch self {
        case .uploading(let sent, let size):
            Self.document(
                "uploading", [("sent", .integer(Int(clamping: sent))), Self.size(size)])
        case .fate(.stored(let object)):
            Self.document("stored", Self.members(object))
        case .fate(.atFault(let object, let reason)):
            Self.document("at_fault", [("detail", .string(reason))] + Self.members(object))
        case .fate(.quarantined(let reason)):
            Self.document("quarantined", [("detail", .string(reason))])
        case .found(let size?, let digest?):
            Self.document("stored", [Self.size(size), ("sha256", .string(digest))])
        // Somebody else's, who does not say what it is.
        case .found(let size, _):
            Self.document("other", size.map { [Self.size($0)] } ?? [])
        case .absent: Self.document("absent", [])
        case .unknown(let reason): Self.document("unknown", [("detail", .string(reason))])
        }
    }

    private static func document(_ state: String, _ members: [(String, JSONText)]) -> JSONText {
        .object([("state", .string(state))] + members)
    }

    private static func members(_ object: ExportFates.Object) -> [(String, JSONText)] {
        [
            ("key", .string(object.key)), size(object.size),
            ("sha256", .string(object.digest.description)),
        ]
    }

    private static func size(_ size: UInt64) -> (String, JSONText) {
        ("size", .integer(Int(clamping: size)))
    }
}

extension Outbox {
    /// Tells how far an object is, from what is known here or else from S3.
    func tell(_ question: ObjectQuestion, _ completion: @escaping (ObjectReport) -> Void) {
        for shipment in shipments.values {
            guard let envelope = shipment.envelope,
                question.means(
                    key: envelope.key, name: envelope.export?.path, digest: envelope.digest)
            else { continue }
            return completion(.uploading(sent: shipment.sent, of: envelope.size))
        }
        if let fate = fates.fate(question) { return completion(.fate(fate)) }
        lookUp(question.key, completion)
    }

    /// Asks S3, unless it was asked a moment ago: then its answer still counts.
    private func lookUp(_ key: String, _ completion: @escaping (ObjectReport) -> Void) {
        guard let client else {
            return completion(.unknown("connector \(name) has no credentials yet"))
        }
        lookups.ask(key, at: clock.instant(), completion) { [self] done in
            client.headObject(key) { [self] reply in done(report(reply, key)) }
        }
    }

    private func report(_ reply: S3Reply, _ key: String) -> ObjectReport {
        switch reply.disposition {
        case .answered:
            return .found(size: reply.answer?.contentLength, digest: reply.answer?.digest)
        case .missing:
            return .absent
        default:
            return .unknown(
                reply.disposition.explanation(of: .headObject, at: destination(key: key)))
        }
    }
}

/// Questions to S3 for objects, at most one a second for each key.
final class ObjectLookups {
    private struct Lookup {
        var began: Instant
        /// nil until it is answered.
        var report: ObjectReport?
        var waiting: [(ObjectReport) -> Void] = []
    }

    private static let pause = Duration.seconds(1)
    /// Those that are answered are forgotten when there are so many.
    private static let most = 1000
    private var lookups: [String: Lookup] = [:]

    /// - Parameter look: asks, and calls what it gets with the answer.
    func ask(
        _ key: String, at now: Instant, _ completion: @escaping (ObjectReport) -> Void,
        look: (@escaping (ObjectReport) -> Void) -> Void
    ) {
        if let known = lookups[key] {
            guard let report = known.report else {
                lookups[key]?.waiting.append(completion)
                return
            }
            if now - known.began < Self.pause { return completion(report) }
        }
        if lookups.count >= Self.most { lookups = lookups.filter { $0.value.report == nil } }
        lookups[key] = Lookup(began: now, waiting: [completion])
        look { [weak self] report in
            let waiting = self?.lookups[key]?.waiting ?? []
            self?.lookups[key]?.report = report
            self?.lookups[key]?.waiting = []
            for completion in waiting { completion(report) }
        }
    }
}

extension ExportFates.Object {
    /// nil where the object is of events, or its envelope was not read.
    init?(_ envelope: Envelope?) {
        guard let envelope, let export = envelope.export else { return nil }
        self.init(
            key: envelope.key, name: export.path, size: envelope.size, digest: envelope.digest)
    }
}

extension Daemon {
    /// Keeps why a file was refused, for whoever waits for it under the name that it has in the spool.
    func noteForWaiting(_ refusal: FileRefusal) {
        let parts = refusal.file.split(separator: "/")
        guard parts.count == 3, let connector = ConnectorName(parts[1]),
            let name = try? ExportName(fileName: String(parts[2]))
        else { return }
        outboxes[connector]?.fates.noteQuarantined(
            name.path, because: refusal.reason, at: clock.now())
    }
}
