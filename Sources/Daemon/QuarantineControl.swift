import HTTPServer
import Model
import Spool

/// Answers what is asked of the quarantine.
extension ControlServer {
    func answer(_ question: QuarantineQuestion, _ exchange: HTTPExchange, _ daemon: Daemon) {
        switch question {
        case .list(let after, let limit):
            daemon.spool.quarantined(after: after, limit: max(1, limit)) { result in
                onLoop { self.answer(exchange, result) { .json($0.json) } }
            }
        case .lines(let id, let limit):
            daemon.spool.quarantinedLines(id, limit: limit) { result in
                onLoop { self.answer(exchange, result, id) { .json($0.json) } }
            }
        case .bytes(let id, let offset):
            daemon.spool.quarantinedBytes(id, from: offset) { result in
                onLoop { self.answer(exchange, result, id, Self.response) }
            }
        case .decide(let verb, let id):
            daemon.spool.decide(verb, id) { result in
                onLoop { self.answer(exchange, result, id) { .json($0.json) } }
            }
        }
    }

    private func answer<Found>(
        _ exchange: HTTPExchange, _ result: Result<Found, QuarantineFailure>,
        _ id: QuarantineID? = nil, _ makeResponse: (Found) -> HTTPResponse
    ) {
        switch result {
        case .success(let found):
            exchange.answer(makeResponse(found))
        case .failure(.missing):
            let what = id.map { "no \"\($0)\"" } ?? "nothing"
            exchange.answer(.text("there is \(what) in quarantine", status: 404))
        case .failure(.waits(let reason)):
            exchange.answer(.text("\(reason), so nothing was done", status: 503))
        case .failure(.spool(let failure)):
            exchange.answer(
                .text("the quarantine cannot be read or changed: \(failure)", status: 503))
        }
    }

    /// The first line says where to go on, `end` where that was all; the bytes follow.
    private static func response(_ bytes: QuarantineBytes) -> HTTPResponse {
        let next = bytes.next.map { String($0) } ?? "end"
        return HTTPResponse(
            contentType: "application/octet-stream", body: Array("\(next)\n".utf8) + bytes.bytes)
    }
}

extension HTTPResponse {
    fileprivate static func json(_ document: JSONText) -> HTTPResponse {
        .json(Array((document.text + "\n").utf8))
    }
}

extension QuarantinePage {
    fileprivate nonisolated var json: JSONText {
        var members: [(String, JSONText)] = [
            ("total", .integer(total)), ("quarantine", .array(items.map { .object($0.members) })),
        ]
        if hasMore, let last = items.last {
            members.append(("next", .string(last.id.description)))
        }
        return .object(members)
    }
}

extension QuarantineItem {
    fileprivate nonisolated var members: [(String, JSONText)] {
        var members: [(String, JSONText)] = [
            ("id", .string(id.description)), ("file", .string(file)),
            ("kind", .string(isFile ? "file" : "events")),
        ]
        if let accepted { members.append(("accepted", .string(accepted))) }
        members.append(("quarantined", .string(quarantined.extended)))
        if let events { members.append(("events", .integer(events))) }
        members += [
            ("bytes", .integer(Int(clamping: bytes))),
            ("connectors", .array(connectors.map { .string($0.description) })),
            (
                "reasons",
                .array(
                    reasons.map {
                        .object([("reason", .string($0.text)), ("count", .integer($0.count))])
                    })
            ),
        ]
        if let obstacle { members.append(("not_retriable", .string(obstacle))) }
        return members
    }
}

extension QuarantineLines {
    fileprivate nonisolated var json: JSONText {
        .object(
            item.members + [
                (
                    "lines",
                    .array(
                        lines.map { line in
                            var members: [(String, JSONText)] = [
                                ("line", .integer(line.number)),
                                ("offset", .integer(Int(clamping: line.offset))),
                            ]
                            if let name = line.connector {
                                members.append(("connector", .string(name)))
                            }
                            members += [
                                ("reason", .string(line.reason)), ("bytes", .integer(line.count)),
                                // What is no UTF-8 shows as U+FFFD.
                                ("text", .string(String(decoding: line.bytes, as: UTF8.self))),
                            ]
                            return .object(members)
                        })
                )
            ])
    }
}

extension QuarantineOutcome {
    fileprivate nonisolated var json: JSONText {
        .object([
            ("items", .integer(items)), ("events", .integer(events)),
            ("bytes", .integer(Int(clamping: bytes))), ("left_items", .integer(leftCount)),
            (
                "left",
                .array(
                    left.map {
                        .object([
                            ("id", .string($0.id.description)), ("reason", .string($0.reason)),
                        ])
                    })
            ),
        ])
    }
}
