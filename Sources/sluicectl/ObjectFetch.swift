import Curl
import Delivery
import Files
import Glibc
import Model
import S3

/// Fetches an object with the credentials of a connector into a file without a name.
///
/// It is whole before the first byte is looked at, and the memory does not have to hold it.
@MainActor
final class ObjectFetch {
    /// Corrections of region and clock.
    private static let mostCorrections = 3

    private let connector: ConnectorSettings
    private let key: String
    private let client: S3Client
    private let descriptor: CInt
    private let directory: String
    /// What kept a piece from being written.
    private var failure: CInt = 0

    init(
        _ key: String, of connector: ConnectorSettings, transport: Transport
    ) throws(Refusal) {
        (self.key, self.connector) = (key, connector)
        var options = TransferOptions()
        options.userAgent = "sluicectl/\(sluiceVersion)"
        options.idleTimeout = .seconds(30)
        options.answerTimeout = .seconds(30)
        client = S3Client(
            connector, transport: transport,
            credentials: TrialCredentials.provider(for: connector, transport), options: options)
        directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var path = Array("\(directory)/sluicectl-XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw Refusal("\(directory): \(errorText(errno))") }
        unlink(path)
        // A credential_process is no heir to it.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    isolated deinit {
        close(descriptor)
    }

    /// Ends with the descriptor, at the first byte, which lives as long as this.
    func start(completion: @escaping (Result<CInt, Refusal>) -> Void) {
        attempt(corrections: 0, completion: completion)
    }

    private func attempt(
        corrections: Int, completion: @escaping (Result<CInt, Refusal>) -> Void
    ) {
        client.getObject(key, sink: { [self] in keep($0) }) { [self] reply in
            let disposition = reply.disposition
            if corrections < Self.mostCorrections, client.correct(by: disposition) {
                return attempt(corrections: corrections + 1, completion: completion)
            }
            completion(result(disposition))
        }
    }

    private func result(_ disposition: Disposition) -> Result<CInt, Refusal> {
        switch disposition {
        case .answered where failure != 0:
            return .failure(Refusal("\(directory): \(errorText(failure)); set TMPDIR to another"))
        case .answered:
            lseek(descriptor, 0, SEEK_SET)
            return .success(descriptor)
        case .missing:
            return .failure(Refusal("it is not there"))
        default:
            let verdict = TrialVerdict(connector: connector, key: key)
            let step = verdict.failure(
                disposition.afterCorrection, .getObject, action: "s3:GetObject")
            return .failure(Refusal(step.text))
        }
    }

    private func keep(_ piece: UnsafeRawBufferPointer) {
        var rest = piece[...]
        while failure == 0, !rest.isEmpty {
            let bytes = UnsafeRawBufferPointer(rebasing: rest)
            let count = write(descriptor, bytes.baseAddress, bytes.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                failure = errno
            }
        }
    }
}
