import Digest
import Model

/// What became of a connector's exports of late, for whoever waits for them: the last thousand of each kind.
///
/// Only a hint that spares questions to S3 and says what S3 cannot: it begins empty with each process.
nonisolated struct ExportFates {
    static let most = 1000

    struct Object: Equatable {
        var key: String
        /// What the file was called.
        var name: String
        var size: UInt64
        var digest: ContentDigest
    }

    enum Fate: Equatable {
        case stored(Object)
        /// It is held until somebody does something; why.
        case atFault(Object, String)
        /// The file was refused before it had a key; why.
        case quarantined(String)
    }

    private enum Refusal {
        case object(Object, String)
        case file(name: String, String, at: Timestamp)
    }

    /// The newest last.
    private var stored: [Object] = []
    private var refused: [Refusal] = []

    mutating func noteStored(_ object: Object) {
        Self.append(object, to: &stored)
        refused.removeAll { if case .object(object, _) = $0 { true } else { false } }
    }

    mutating func noteFault(_ object: Object, because reason: String) {
        Self.append(.object(object, reason), to: &refused)
    }

    mutating func noteQuarantined(_ name: String, because reason: String, at time: Timestamp) {
        Self.append(.file(name: name, reason, at: time), to: &refused)
    }

    /// What was at fault is tried again, or given up.
    mutating func forgetFaults() {
        refused.removeAll { if case .object = $0 { true } else { false } }
    }

    /// The newest that is known.
    func fate(_ question: ObjectQuestion) -> Fate? {
        if let object = stored.last(where: {
            question.means(key: $0.key, name: $0.name, digest: $0.digest)
        }) {
            return .stored(object)
        }
        for refusal in refused.reversed() {
            switch refusal {
            case .object(let object, let reason):
                if question.means(key: object.key, name: object.name, digest: object.digest) {
                    return .atFault(object, reason)
                }
            case .file(let name, let reason, let time):
                if let asked = question.name, asked.utf8.elementsEqual(name.utf8),
                    time >= question.since ?? time
                {
                    return .quarantined(reason)
                }
            }
        }
        return nil
    }

    /// A few are let go at a time, so that none of the others has to move for each.
    private static func append<Element>(_ element: Element, to elements: inout [Element]) {
        if elements.count >= most + most / 4 { elements.removeFirst(elements.count - most + 1) }
        elements.append(element)
    }
}
