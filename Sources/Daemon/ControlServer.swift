import Dispatch
import Glibc
import HTTPServer
import Model

/// Answers status and control requests on the Unix socket.
final class ControlServer {
    private var server: LocalServer?
    private weak var daemon: Daemon?

    init(_ daemon: Daemon) {
        self.daemon = daemon
    }

    /// Begins to listen at a path of a Unix socket.
    func listen(at path: String) throws(ListenError) {
        server = try LocalServer(on: .unix(path: path)) { [weak self] exchange in
            self?.answer(exchange)
        }
    }

    func stop() {
        server?.stop()
        server = nil
    }

    private func answer(_ exchange: HTTPExchange) {
        guard let daemon else { return }
        switch (exchange.request.method, exchange.request.path) {
        case (.get, "/status"):
            daemon.status { document in
                exchange.answer(.json(Array((document.json.text + "\n").utf8)))
            }
        case (.get, "/healthz"):
            if let reason = daemon.ailment {
                exchange.answer(.text(reason, status: 503))
            } else {
                exchange.answer(.text("ok"))
            }
        case (.post, "/flush"):
            flush(exchange, daemon)
        case (_, "/status"), (_, "/healthz"), (_, "/flush"):
            exchange.answer(.text("another method is meant for this path", status: 405))
        default:
            exchange.answer(.text("there is no such path", status: 404))
        }
    }

    private func flush(_ exchange: HTTPExchange, _ daemon: Daemon) {
        var connector: ConnectorName?
        if let name = exchange.request.query["connector"] {
            connector = ConnectorName(name)
            guard let connector, daemon.hasConnector(connector) else {
                return exchange.answer(.text("there is no connector \"\(name)\"", status: 404))
            }
        }
        daemon.flush(connector) { isSealed in
            if isSealed {
                exchange.answer(.json(Array("{\"sealed\":true}\n".utf8)))
            } else {
                exchange.answer(.text("intake is not running, so nothing was sealed", status: 503))
            }
        }
    }
}
