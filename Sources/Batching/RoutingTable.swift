import Avro
public import Model

/// Answers where an event goes. Pure: the same event under the same routing always goes the same way.
public struct RoutingTable: Sendable {
    /// Who says where an event goes.
    public enum Direction: Hashable, Sendable {
        /// The subscriptions of all connectors.
        case subscriptions
        /// The sub-directory or the event names this connector (an index into the routing's list).
        case connector(Int)
    }

    /// One place an event goes to.
    public struct Target: Hashable, Sendable {
        /// An index into the routing's list of connectors.
        public var connector: Int
        public var eventType: String
    }

    public enum Refusal: Hashable, Sendable {
        case noEventType
        case invalidEventType
        case unmatched(eventType: String)
        case unknownConnector(String)
        case invalidConnector
        case keyTooLong(eventType: String)
        case noSchema(eventType: String)
        case takesFiles
    }

    public struct Answer: Sendable, Equatable {
        public var targets: [Target] = []
        /// The connector that refuses the event, or nil where no single one does.
        public var refusals: [(connector: Int?, refusal: Refusal)] = []
        /// Nobody wants it, and `unmatched` says to drop and count such events.
        public var isDiscarded = false

        public static func == (left: Answer, right: Answer) -> Bool {
            left.targets == right.targets && left.isDiscarded == right.isDiscarded
                && left.refusals.map(\.connector) == right.refusals.map(\.connector)
                && left.refusals.map(\.refusal) == right.refusals.map(\.refusal)
        }
    }

    public let routing: Routing
    private let indexes: [ConnectorName: Int]

    public init(_ routing: Routing) {
        self.routing = routing
        indexes = Dictionary(
            uniqueKeysWithValues: routing.connectors.enumerated().map { ($1.name, $0) })
    }

    public func index(of name: ConnectorName) -> Int? { indexes[name] }

    public func index(of name: some StringProtocol) -> Int? {
        ConnectorName(name).flatMap { indexes[$0] }
    }

    /// Where an event of a type (nil: it names none) goes.
    public func answer(eventType: String?, _ direction: Direction) -> Answer {
        if let eventType, !EventType.isValid(eventType) {
            return Answer(refusals: [(connector(direction), .invalidEventType)])
        }
        switch direction {
        case .connector(let index):
            return answer(eventType, to: index)
        case .subscriptions:
            return bySubscription(eventType)
        }
    }

    private func bySubscription(_ eventType: String?) -> Answer {
        var answer = Answer()
        for (index, connector) in routing.connectors.enumerated() {
            guard connector.kind == .currents, let type = eventType ?? connector.defaultEventType,
                connector.patterns.contains(where: { $0.matches(type) })
            else { continue }
            add(type, index, to: &answer)
        }
        if answer.targets.isEmpty, answer.refusals.isEmpty {
            guard let eventType else { return Answer(refusals: [(nil, .noEventType)]) }
            if routing.unmatched == .discard {
                answer.isDiscarded = true
            } else {
                answer.refusals.append((nil, .unmatched(eventType: eventType)))
            }
        }
        return answer
    }

    private func answer(_ eventType: String?, to index: Int) -> Answer {
        var answer = Answer()
        if routing.connectors[index].kind == .dataExport {
            answer.refusals.append((index, .takesFiles))
        } else if let type = eventType ?? routing.connectors[index].defaultEventType {
            add(type, index, to: &answer)
        } else {
            answer.refusals.append((index, .noEventType))
        }
        return answer
    }

    /// Takes a target that can be encoded, and whose longest possible key S3 accepts.
    private func add(_ eventType: String, _ index: Int, to answer: inout Answer) {
        let connector = routing.connectors[index]
        if connector.format.isAvro, routing.schemas[eventType] == nil {
            answer.refusals.append((index, .noSchema(eventType: eventType)))
            return
        }
        let longest = routing.key(
            connector, eventType: eventType, hour: Hour(hoursSince1970: 0),
            offset: .max)
        if longest.utf8.count > ObjectKey.longest {
            answer.refusals.append((index, .keyTooLong(eventType: eventType)))
        } else {
            answer.targets.append(Target(connector: index, eventType: eventType))
        }
    }

    private func connector(_ direction: Direction) -> Int? {
        if case .connector(let index) = direction { return index }
        return nil
    }
}

extension RoutingTable.Refusal: CustomStringConvertible {
    /// A name that a producer wrote may be as long as a line; what is longer than any connector's is cut.
    private static func shown(_ name: String) -> String {
        let most = 80
        let start = name.unicodeScalars.prefix(most)
        return start.endIndex == name.endIndex ? name : String(start) + "..."
    }

    public var description: String {
        switch self {
        case .noEventType: "it has no event_type, and the connector has no default_event_type"
        case .invalidEventType:
            "its event_type is no string of 1 to 128 letters, digits, \"_\", \"-\" and single dots"
        case .unmatched(let type): "no connector wants events of type \(type)"
        case .unknownConnector(let name): "there is no connector \"\(Self.shown(name))\""
        case .invalidConnector: "its connector is neither a name nor a list of names"
        case .keyTooLong(let type):
            "the object key for type \(type) would be longer than \(ObjectKey.longest) bytes"
        case .noSchema(let type):
            "no schema covers type \(type), and the connector's format is avro; add "
                + "\(type).avsc to the schemas, or write format = \"jsonl\""
        case .takesFiles: "the connector takes files as they are, and no events"
        }
    }
}
