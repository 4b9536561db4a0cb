import Avro
import Batching
import Encoding
import Model

/// What becomes of an event before it goes into blocks; streams that want the same share it.
///
/// Owned by the router.
final class LineEncoder {
    private enum Kind {
        case rewriter(EventRewriter)
        case encoder(EventEncoder)
    }

    private let kind: Kind
    private let output = EncodedBytes()
    private var ignored = 0
    private var firstIgnored = ""

    /// nil where events of the type go to the connector as they are.
    init?(_ routing: Routing, _ connector: Routing.Connector, eventType: String) {
        if let schema = routing.schema(connector, eventType: eventType) {
            kind = .encoder(EventEncoder(schema, connector.transforms))
        } else if !connector.transforms.isEmpty {
            kind = .rewriter(EventRewriter(connector.transforms))
        } else {
            return nil
        }
    }

    /// The last event, encoded.
    var bytes: UnsafeRawBufferPointer { output.bytes }

    /// Encodes one event; says why, where its schema refuses it.
    func encode(_ event: UnsafePointer<UInt8>, _ count: Int) -> EventRefusal? {
        output.removeAll()
        switch kind {
        case .rewriter(let rewriter):
            rewriter.rewrite(event, count: count, into: output)
            return nil
        case .encoder(let encoder):
            let refusal = encoder.encode(event, count: count, into: output)
            if encoder.ignoredMembers > 0 {
                if ignored == 0 { firstIgnored = encoder.ignoredMember ?? "" }
                ignored += encoder.ignoredMembers
            }
            return refusal
        }
    }

    /// What was left out of events since this was asked last; nil: nothing.
    func takeIgnored(of eventType: String) -> IgnoredMembers? {
        guard ignored > 0 else { return nil }
        defer { ignored = 0 }
        return IgnoredMembers(eventType: eventType, count: ignored, first: firstIgnored)
    }
}
