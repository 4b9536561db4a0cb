import Dispatch
import Glibc
import HTTPServer
import Model
import Spool
import StatusPage

/// Answers status and control requests on the Unix socket, and those that only read on loopback ports.
final class ControlServer {
    private var servers: [LocalServer] = []
    private weak var daemon: Daemon?

    init(_ daemon: Daemon) {
        self.daemon = daemon
    }

    /// Begins to listen at an address as well.
    func listen(at address: ListenAddress) throws(ListenError) {
        switch address {
        case .unix(let path): try serve(.unix(path: path), isReadOnly: false)
        case .loopback(let name, let port):
            try serve(.loopback(address: name, port: port), isReadOnly: true)
        }
    }

    /// Begins to serve a socket that somebody else listens on for us.
    func listen(on socket: ServedSocket) throws(ListenError) {
        try serve(
            .passed(descriptor: socket.descriptor), isReadOnly: socket.address.socketPath == nil)
    }

    private func serve(_ endpoint: LocalEndpoint, isReadOnly: Bool) throws(ListenError) {
        servers.append(
            try LocalServer(on: endpoint) { [weak self] exchange in
                self?.answer(exchange, isReadOnly: isReadOnly)
            })
    }

    func stop() {
        for server in servers { server.stop() }
        servers = []
    }

    /// - Parameter isReadOnly: it came through a port, which every user and every browser of the machine reaches.
    private func answer(_ exchange: HTTPExchange, isReadOnly: Bool) {
        guard let daemon else { return }
        if isReadOnly, !exchange.request.isForLoopback {
            return exchange.answer(
                .text("ask by a name of this machine's loopback, like \"localhost\"", status: 421))
        }
        let request: ControlRequest
        do throws(ControlRequest.Fault) {
            request = try ControlRequest(exchange.request)
        } catch {
            return exchange.answer(error.response)
        }
        if isReadOnly, !request.isForEverybody {
            return exchange.answer(
                .text(
                    "this port only tells how things stand; use sluicectl, or the Unix socket",
                    status: 403))
        }
        answer(exchange, request, daemon)
    }

    private func answer(_ exchange: HTTPExchange, _ request: ControlRequest, _ daemon: Daemon) {
        switch request {
        case .page:
            exchange.answer(.page(StatusPage.html))
        case .history:
            answer(exchange, daemon.history.json(now: daemon.clock.now()))
        case .status:
            daemon.status { document in self.answer(exchange, document.json) }
        case .metrics:
            daemon.metrics { metrics in
                exchange.answer(
                    HTTPResponse(
                        contentType: MetricsText.contentType, body: Array(metrics.text.utf8)))
            }
        case .health:
            if let reason = daemon.healthCheck.complaint {
                exchange.answer(.text(reason, status: 503))
            } else {
                exchange.answer(.text("ok"))
            }
        case .archive(let connector): listArchive(connector, exchange, daemon)
        case .flush(let connector): flush(connector, exchange, daemon)
        case .drain(let connector): drain(connector, exchange, daemon)
        case .quarantine(let question): answer(question, exchange, daemon)
        case .object(let question): answer(question, exchange, daemon)
        case .change(let verb, let name, let batch):
            perform(verb, name, batch, exchange, daemon)
        }
    }

    private func refuse(_ exchange: HTTPExchange, _ connector: ConnectorName) {
        exchange.answer(ControlRequest.Fault.connector(connector.description).response)
    }

    private func perform(
        _ verb: ControlRequest.Verb, _ name: ConnectorName, _ batch: String?,
        _ exchange: HTTPExchange, _ daemon: Daemon
    ) {
        guard let outbox = daemon.outboxes[name] else {
            guard daemon.archived[name] != nil, verb == .retryArchive || verb == .discardArchive
            else { return refuse(exchange, name) }
            return changeArchive(verb, name, batch, exchange, daemon)
        }
        switch verb {
        case .pause, .resume:
            guard outbox.settings != nil else {
                let reason =
                    "connector \"\(name)\" is not in the configuration, so nothing is sent for it"
                return exchange.answer(.text(reason, status: 409))
            }
            verb == .pause ? outbox.pause() : outbox.resume()
            answer(exchange, .object([("paused", .boolean(outbox.isPaused))]))
        case .discard:
            guard daemon.hasOpened else {
                return exchange.answer(.text("the spool is not read yet", status: 503))
            }
            answer(exchange, Self.sums(outbox.discardAll()))
        case .rekey:
            rekey(outbox, batch, exchange, daemon)
        case .retryArchive, .discardArchive:
            changeArchive(verb, name, batch, exchange, daemon)
        }
    }

    private func rekey(
        _ outbox: Outbox, _ batch: String?, _ exchange: HTTPExchange, _ daemon: Daemon
    ) {
        guard outbox.settings != nil else {
            let reason =
                "connector \"\(outbox.name)\" is not in the configuration; put it back first"
            return exchange.answer(.text(reason, status: 409))
        }
        let name = outbox.name
        outbox.rekey(batch, by: daemon.spool) { result in
            switch result {
            case .success(let sums):
                self.answer(exchange, Self.sums(sums))
            case .failure(.missing):
                let what = batch.map { "no batch \"\($0)\"" } ?? "nothing"
                let reason =
                    "\(what) of connector \"\(name)\" is in conflict with another object"
                exchange.answer(.text(reason, status: 404))
            case .failure(.spool(let failure)):
                exchange.answer(.text("no key can be changed: \(failure)", status: 503))
            }
        }
    }

    private func answer(_ exchange: HTTPExchange, _ document: JSONText, status: Int = 200) {
        exchange.answer(.json(Array((document.text + "\n").utf8), status: status))
    }

    private static func sums(_ sums: BatchSums) -> JSONText {
        .object([
            ("objects", .integer(sums.objects)), ("events", .integer(sums.events)),
            ("bytes", .integer(Int(sums.bytes))),
        ])
    }

    private func flush(
        _ connector: ConnectorName?, _ exchange: HTTPExchange, _ daemon: Daemon
    ) {
        if let connector, !daemon.hasConnector(connector) { return refuse(exchange, connector) }
        daemon.flush(connector) { isSealed in
            if isSealed {
                exchange.answer(.json(Array("{\"sealed\":true}\n".utf8)))
            } else {
                exchange.answer(.text("intake is not running, so nothing was sealed", status: 503))
            }
        }
    }

    private func drain(
        _ connector: ConnectorName?, _ exchange: HTTPExchange, _ daemon: Daemon
    ) {
        if let connector, daemon.outboxes[connector] == nil { return refuse(exchange, connector) }
        daemon.drains.begin(exchange, connector)
    }

    // MARK: The archive

    private func listArchive(
        _ connector: ConnectorName?, _ exchange: HTTPExchange, _ daemon: Daemon
    ) {
        if let connector, daemon.archived[connector] == nil, daemon.outboxes[connector] == nil {
            return refuse(exchange, connector)
        }
        daemon.spool.archived(connector) { result in
            onLoop {
                switch result {
                case .success(let batches):
                    self.answer(
                        exchange, .object([("archive", .array(batches.map(Self.archived)))]))
                case .failure(let failure):
                    exchange.answer(.text("the archive cannot be read: \(failure)", status: 503))
                }
            }
        }
    }

    private static func archived(_ batch: ArchivedBatch) -> JSONText {
        .object([
            ("connector", .string(batch.id.connector.description)),
            ("batch", .string(batch.id.name)), ("event_type", .string(batch.eventType)),
            ("events", .integer(batch.events)), ("bytes", .integer(Int(batch.bytes))),
            ("key", .string(batch.key)),
            ("accepted_from", .string(batch.accepted.lowerBound.extended)),
            ("accepted_to", .string(batch.accepted.upperBound.extended)),
            ("perhaps_delivered", .boolean(batch.perhapsDelivered)),
        ])
    }

    private func changeArchive(
        _ verb: ControlRequest.Verb, _ name: ConnectorName, _ batch: String?,
        _ exchange: HTTPExchange, _ daemon: Daemon
    ) {
        let done: @Sendable (Result<ArchiveSums, ArchiveFailure>) -> Void = { result in
            onLoop { self.answer(exchange, result, name, batch) }
        }
        guard verb == .retryArchive else {
            return daemon.spool.discardArchived(name, batch: batch, done: done)
        }
        guard let outbox = daemon.outboxes[name], outbox.settings != nil else {
            let reason = "connector \"\(name)\" is not in the configuration; put it back first"
            return exchange.answer(.text(reason, status: 409))
        }
        daemon.spool.retryArchived(name, batch: batch, done: done)
    }

    private func answer(
        _ exchange: HTTPExchange, _ result: Result<ArchiveSums, ArchiveFailure>,
        _ name: ConnectorName, _ batch: String?
    ) {
        switch result {
        case .success(let sums):
            answer(
                exchange,
                .object([
                    ("objects", .integer(sums.objects)), ("events", .integer(sums.events)),
                    ("bytes", .integer(Int(sums.bytes))),
                ]))
        case .failure(.missing):
            let what = batch.map { "no batch \"\($0)\"" } ?? "nothing"
            exchange.answer(
                .text("there is \(what) in the archive of connector \"\(name)\"", status: 404))
        case .failure(.spool(let failure)):
            exchange.answer(.text("the archive cannot be changed: \(failure)", status: 503))
        }
    }
}
