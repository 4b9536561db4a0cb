import Model

/// What is to become of an object whose time to be deleted has come, by what a HEAD says of it.
public enum Removal: Sendable, Equatable {
    /// It is the one that was stored, and old enough: delete it, if it still has this ETag.
    case delete(entityTag: String?)
    /// By the store's own clock it is not old enough.
    case later(Duration)
    /// Somebody put another object in its place, which is left alone.
    case replaced(ExistingObject)
    /// Nobody can tell whether it is the one that was stored, so it is left alone.
    case unknown

    /// - Parameters:
    ///   - answer: of a HEAD that found something.
    ///   - digest: of what was stored, a `ContentDigest`.
    ///   - age: how old an object has to be.
    public init(of answer: Answer, length: UInt64, digest: String, age: Duration) {
        switch answer.comparison(length: length, digest: digest) {
        case .different:
            self = .replaced(
                ExistingObject(size: answer.contentLength, modified: answer.lastModified))
        case .unknown:
            self = .unknown
        case .equal:
            // No clock of ours decides: one that is wrong would delete what is still wanted.
            guard let now = answer.date, let modified = answer.lastModified else {
                self = .unknown
                return
            }
            let left = age - .seconds(now.unixSeconds - modified.unixSeconds)
            self = left > .zero ? .later(left) : .delete(entityTag: answer.entityTag)
        }
    }
}
