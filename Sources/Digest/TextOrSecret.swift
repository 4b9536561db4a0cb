/// A text that anybody may see, or one that nobody else may and that is in no `String` on its way.
public enum TextOrSecret: Sendable, Equatable {
    case plain(String)
    case secret(Secret)

    /// nil: it is secret.
    public var plainText: String? {
        switch self {
        case .plain(let text): text
        case .secret: nil
        }
    }

    /// Lends the UTF-8 for the duration of `body`.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        switch self {
        case .plain(var text):
            text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
        case .secret(let secret):
            secret.withUnsafeBytes(body)
        }
    }
}
