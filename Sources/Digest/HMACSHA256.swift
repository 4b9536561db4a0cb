internal import COpenSSL

/// HMAC with SHA-256, of whole messages.
///
/// Source: RFC 2104, RFC 4231; HMAC(3).
public enum HMACSHA256 {
    /// The code of a message under a key.
    public static func code(of message: UnsafeRawBufferPointer, key: Secret) -> SHA256Digest {
        SHA256Digest { output in
            compute(message, key, into: UnsafeMutableRawBufferPointer(output))
        }
    }

    /// The code of the UTF-8 of a text under a key.
    public static func code(of text: String, key: Secret) -> SHA256Digest {
        var text = text
        return text.withUTF8 { code(of: UnsafeRawBufferPointer($0), key: key) }
    }

    /// The code of a text under a key, to be used as a key itself: it is never outside of a `Secret`.
    public static func derivedKey(from key: Secret, for text: String) -> Secret {
        var text = text
        return text.withUTF8 { bytes in
            Secret(count: SHA256Digest.byteCount) { output in
                compute(UnsafeRawBufferPointer(bytes), key, into: output)
            }
        }
    }

    private static func compute(
        _ message: UnsafeRawBufferPointer, _ key: Secret, into output: UnsafeMutableRawBufferPointer
    ) {
        precondition(output.count == SHA256Digest.byteCount)
        let written = key.withUnsafeBytes { key in
            HMAC(
                EVP_sha256(), key.baseAddress, Int32(key.count),
                message.bindMemory(to: UInt8.self).baseAddress, message.count,
                output.bindMemory(to: UInt8.self).baseAddress, nil)
        }
        precondition(written != nil, "HMAC failed")
    }
}
