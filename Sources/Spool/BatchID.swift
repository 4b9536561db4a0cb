public import Model

/// Names a batch within the spool: its connector, and the position of its first event.
///
/// An event goes into one batch of a connector, so no two batches have the same first event. Names sort in the order
/// of acceptance.
public struct BatchID: Hashable, Comparable, Sendable {
    public let connector: ConnectorName
    public let first: Position

    public init(connector: ConnectorName, first: Position) {
        self.connector = connector
        self.first = first
    }

    /// `<file, 16 hex digits>-<offset, 12 hex digits>`
    public var name: String {
        hexadecimal(first.file, width: 16) + "-" + hexadecimal(first.offset, width: 12)
    }

    init?(connector: ConnectorName, name: some StringProtocol) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 16, parts[1].utf8.count >= 12,
            let file = UInt64(parts[0], radix: 16), let offset = UInt64(parts[1], radix: 16)
        else { return nil }
        self.init(connector: connector, first: Position(file: file, offset: offset))
    }

    public static func < (left: BatchID, right: BatchID) -> Bool {
        (left.first, left.connector) < (right.first, right.connector)
    }
}

/// A stream: what goes into the same objects, in the order of positions.
public struct StreamID: Hashable, Sendable {
    public var connector: ConnectorName
    public var eventType: String
    public var hour: Hour
}
