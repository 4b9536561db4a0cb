internal import Digest
internal import Dispatch
internal import Files
internal import Glibc

/// Reads files that hold secrets, off the loop, into memory that is cleansed; each is watched from then on.
final class FileReader {
    /// Longer than any key or token.
    static let longestSecret = 64 << 10
    /// Far above any file of profiles.
    static let longestConfiguration = 1 << 20

    private let queue: DispatchQueue
    private let watch: FileWatch?

    init(queue: DispatchQueue, watch: FileWatch?) {
        self.queue = queue
        self.watch = watch
    }

    func read(
        _ path: String, limit: Int = longestSecret,
        _ completion: @escaping (Result<Secret, FileError>) -> Void
    ) {
        offLoop(queue) {
            Self.contents(path, limit: limit)
        } then: { [watch] result, version in
            watch?.read(path, as: version)
            completion(result)
        }
    }

    private nonisolated static func contents(
        _ path: String, limit: Int
    ) -> (Result<Secret, FileError>, FileVersion?) {
        let buffer = SecretBuffer(capacity: limit)
        do throws(FileError) {
            let version = try SmallFile.read(path, limit: limit) { buffer.append($0) }
            return (.success(buffer.withUnsafeBytes { Secret(copying: $0) }), version)
        } catch {
            return (.failure(error), FileVersion(of: path))
        }
    }
}
