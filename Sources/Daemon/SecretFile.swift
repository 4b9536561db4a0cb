import Digest
import Dispatch
import Files
import Glibc
import S3

/// Reads a file that holds a secret, off the loop, into memory that is cleansed.
nonisolated enum SecretFile {
    /// Longer than any key or session token.
    private static let longest = 64 << 10

    /// Answers on the loop. White space around the secret is no part of it.
    static func read(
        _ path: String, on queue: DispatchQueue,
        _ completion: @escaping @MainActor (Result<Secret, CredentialsUnavailable>) -> Void
    ) {
        queue.async {
            let result = read(path)
            onLoop { completion(result) }
        }
    }

    private static func read(_ path: String) -> Result<Secret, CredentialsUnavailable> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else {
            return .failure(
                .misconfigured(
                    "\(path) cannot be read: \(errorText(errno)); put the secret there, "
                        + "readable for the user of sluiced only"))
        }
        defer { close(descriptor) }
        var secret: Secret?
        let buffer = Secret(count: longest) { buffer in
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.prefix(max(0, count)))
            guard let first = bytes.firstIndex(where: { $0 > 0x20 }),
                let last = bytes.lastIndex(where: { $0 > 0x20 })
            else { return }
            secret = Secret(copying: UnsafeRawBufferPointer(rebasing: bytes[first...last]))
        }
        // The buffer is cleansed as it goes.
        _ = buffer
        guard let secret else {
            return .failure(.misconfigured("\(path) is empty; put the secret there"))
        }
        return .success(secret)
    }
}
