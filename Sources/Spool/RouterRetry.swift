import Batching
import Encoding
import Files
import Model

/// Routing events that were refused before: the lines of a file of rejects.
extension Router {
    /// What of a file of rejects is read, and where its events go.
    struct Retry {
        /// nil: what every connector refused, and what none in particular did.
        var only: ConnectorName?
        /// As the file was dropped: this is for events that no single connector refused.
        var direction: RoutingTable.Direction
        var unknownConnector: String?
        var hasTitle = false
        /// Of the event that comes next.
        var head: RejectsHead?
    }

    /// Routes lines until there is no room for more; answers how many bytes that was.
    func retry(_ lines: Lines) throws(FileError) -> Int {
        let text = lines.text
        var line = EventLine()
        var at = lines.at
        while at < lines.count {
            if isFull, at > lines.at {
                reading!.rest = lines
                reading!.rest!.at = at
                break
            }
            var end = at
            // The last of the lines has its newline too.
            while text[end] != UInt8(ascii: "\n") { end += 1 }
            let bytes = UnsafeRawBufferPointer(start: text + at, count: end - at)
            if let head = reading!.retry!.head {
                guard bytes.count == head.bytes else {
                    try breakOff(
                        at: lines.offset + UInt64(at),
                        "an event there has \(bytes.count) bytes, and its head says \(head.bytes)")
                    return at - lines.at
                }
                JSONScanner.scan(text, from: at, into: &line)
                try retry(
                    text, line, head,
                    Position(
                        file: reading!.reader.file.name.number,
                        offset: lines.offset + UInt64(line.start)))
                reading!.retry!.head = nil
            } else if !reading!.retry!.hasTitle {
                guard RejectsTitle(bytes) != nil else {
                    try breakOff(
                        at: lines.offset + UInt64(at), "its first line is none of such a file")
                    return at - lines.at
                }
                reading!.retry!.hasTitle = true
            } else {
                guard let head = RejectsHead(bytes) else {
                    try breakOff(
                        at: lines.offset + UInt64(at), "the head of an event there is damaged")
                    return at - lines.at
                }
                reading!.retry!.head = head
                reading!.line = head.line
            }
            at = end + 1
        }
        return at - lines.at
    }

    private func retry(
        _ text: UnsafePointer<UInt8>, _ line: EventLine, _ head: RejectsHead, _ position: Position
    ) throws(FileError) {
        let bytes = UnsafeRawBufferPointer(start: text + line.start, count: line.end - line.start)
        if let only = reading!.retry!.only, head.connector != only.description {
            return try refuse(offset: head.offset, head.connector, head.reason, bytes)
        }
        switch line.outcome {
        case .blank:
            // A line that was too long stands in its file, which is kept whole.
            break
        case .refused(let fault):
            try refuse(offset: head.offset, head.connector, fault.description, bytes)
        case .event:
            reading!.end.sawEvent = true
            guard let connector = head.connector else {
                reading!.direction = reading!.retry!.direction
                reading!.unknownConnector = reading!.retry!.unknownConnector
                return try route(text, line, position)
            }
            // The others have it already, or have an entry of their own here.
            guard let index = table.index(of: connector) else {
                return try refuse(
                    offset: head.offset, connector,
                    RoutingTable.Refusal.unknownConnector(connector).description, bytes)
            }
            reading!.direction = .connector(index)
            reading!.unknownConnector = nil
            try route(text, line, position)
        }
    }
}
