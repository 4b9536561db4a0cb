import Delivery

/// Failed attempts by what the other side said.
nonisolated struct FailureCounts: Sendable, Equatable {
    /// Codes are the other side's, which might invent a new one each time: past this number they are `other`.
    static let mostCodes = 32

    private(set) var byCode: [String: Int] = [:]

    /// Counts an attempt that ended so, if that is a failure.
    mutating func count(_ disposition: Disposition) {
        guard let code = disposition.failureCode else { return }
        let isKnown = byCode[code] != nil || byCode.count < Self.mostCodes
        byCode[isKnown ? code : "other", default: 0] += 1
    }
}

extension Disposition {
    /// S3's code of an attempt that failed, or a word of our own where S3 had no part in it; nil for one that did not.
    nonisolated var failureCode: String? {
        switch self {
        case .delivered, .answered, .existing, .missing, .aborted, .advice: nil
        case .misconfigured(.local): "local"
        case .batchHeld(.differs), .batchHeld(.taken): "differs"
        case .batchHeld(.damaged): "damaged"
        default: cause?.code ?? "unknown"
        }
    }
}
