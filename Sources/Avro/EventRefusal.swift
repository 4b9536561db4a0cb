/// Why an event cannot be encoded by its schema.
public struct EventRefusal: Error, Sendable, Equatable {
    /// From the event to the value at fault: `items[3].price`. Empty where the event as a whole is.
    public let path: String
    /// Goes on where the path ends: `is 99999999999, which is no int`.
    public let reason: String
    private let sentence: String

    init(path: String, reason: String, sentence: String? = nil) {
        self.path = path
        self.reason = reason
        self.sentence = sentence ?? "its field \(path) \(reason)"
    }
}

extension EventRefusal: CustomStringConvertible {
    public var description: String { sentence }
}
