internal import Digest
internal import Dispatch
internal import Files
internal import Model

/// Credentials that a program prints (`credential_process`).
///
/// Its output is JSON with `"Version": 1`. Its standard error is dropped: what it complains of may be
/// secret, too.
final class ProcessSource: CredentialSource {
    private let command: String
    /// Where the command stands, for people.
    private let place: String
    private let surroundings: CredentialSurroundings

    private nonisolated static let timeLimit = Duration.seconds(60)
    private nonisolated static let longestOutput = 64 << 10
    /// Nothing else waits for the program.
    private let queue = DispatchQueue(label: "sluice.credential-process")

    init(_ command: String, place: String, surroundings: CredentialSurroundings) {
        self.command = command
        self.place = place
        self.surroundings = surroundings
    }

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        guard let words = ShellWords.split(command), !words.isEmpty else {
            return completion(
                .failure(.misconfigured("the credential_process of \(place) is no command")))
        }
        offLoop(queue) {
            let output = SecretBuffer(capacity: Self.longestOutput)
            let ending = BoundedProcess.run(
                words, limit: Self.longestOutput, within: Self.timeLimit
            ) { output.append($0) }
            return (ending, output.withUnsafeBytes { Secret(copying: $0) })
        } then: { [self] (ending, output: Secret) in
            completion(session(ending, output))
        }
    }

    private func session(_ ending: BoundedProcess.Ending, _ output: Secret) -> SessionResult {
        let program = "the credential_process of \(place)"
        let advice = "run it by hand as the user of sluiced"
        switch ending {
        case .exited(0):
            break
        case .exited(let status):
            return .failure(.misconfigured("\(program) ended with status \(status); \(advice)"))
        case .killed(let signal):
            return .failure(.unreachable("\(program) was ended by signal \(signal)"))
        case .tooSlow:
            return .failure(
                .unreachable("\(program) did not end within \(Self.timeLimit.text)"))
        case .tooMuch:
            return .failure(
                .misconfigured("\(program) writes more than \(Self.longestOutput) bytes"))
        case .failed(let code):
            return .failure(
                .misconfigured("\(program) cannot be started: \(errorText(code))"))
        }
        guard let object = output.withUnsafeBytes({ SecretObject($0) }),
            object.text("Version") == "1",
            let session = IssuedKeys.session(
                object, token: "SessionToken", date: nil, now: surroundings.now())
        else {
            let text = "\(program) did not print credentials of \"Version\": 1; \(advice)"
            return .failure(.misconfigured(text))
        }
        return .success(session)
    }
}
