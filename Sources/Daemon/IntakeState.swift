/// How intake stands.
nonisolated enum IntakeState: Equatable, Sendable {
    case opening
    case running
    case waiting(String)
    case failed(String)

    /// All that `word` can be.
    static let words = ["opening", "running", "waiting", "failed"]

    var word: String {
        switch self {
        case .opening: "opening"
        case .running: "running"
        case .waiting: "waiting"
        case .failed: "failed"
        }
    }

    /// It takes files, or will as soon as there is room.
    var isAtWork: Bool {
        switch self {
        case .running, .waiting: true
        case .opening, .failed: false
        }
    }

    var detail: String? {
        switch self {
        case .opening, .running: nil
        case .waiting(let text), .failed(let text): text
        }
    }
}
