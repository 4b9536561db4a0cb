import Delivery
import S3

/// The corrections that answers ask for in one attempt (another region, another clock, new credentials): each is made
/// at once, a few times at most.
///
/// Several requests of an attempt may be under way. What was sent before the last correction says nothing about it.
final class Corrections {
    /// What a request was sent with.
    struct Mark {
        fileprivate var clock: Int64
        fileprivate var made: Int
    }

    private let client: S3Client
    private let note: (Disposition) -> Void
    private var made = 0
    /// Since a request last went well.
    private var inARow = 0

    private static let mostInARow = 4

    /// - Parameter note: is told of each.
    init(_ client: S3Client, note: @escaping (Disposition) -> Void) {
        self.client = client
        self.note = note
    }

    /// To be taken as a request leaves.
    var mark: Mark { Mark(clock: client.clockOffset, made: made) }

    func wentWell() {
        inARow = 0
    }

    /// Makes the correction that an answer asks for. nil: the request may be sent again at once; else what the attempt
    /// ends with.
    func follow(_ disposition: Disposition, sent mark: Mark) -> Disposition? {
        switch disposition {
        case .clock, .region, .unsupported, .refreshCredentials: break
        default: return disposition
        }
        if mark.made < made { return nil }
        inARow += 1
        guard inARow <= Self.mostInARow else { return disposition.afterCorrection }
        if isAlreadyMade(disposition, mark) { return nil }
        guard client.correct(by: disposition) else { return disposition.afterCorrection }
        made += 1
        note(disposition)
        if case .refreshCredentials = disposition, inARow > 1 {
            return disposition.afterCorrection
        }
        return nil
    }

    /// Whether another attempt made the same correction while this one's request was under way.
    private func isAlreadyMade(_ correction: Disposition, _ mark: Mark) -> Bool {
        switch correction {
        case .region(let region, _): client.region == region
        case .unsupported(let feature, _): client.unsupported.contains(feature)
        case .clock: client.clockOffset != mark.clock
        default: false
        }
    }
}
