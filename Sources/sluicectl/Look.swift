import Glibc
import Model

/// How text is to look: how much room a line has, and what its reader can show.
struct Look {
    var width = 80
    var colours = false
    /// Signs beyond ASCII can be shown.
    var isUnicode = true

    /// That of stdout.
    static var ofOutput: Look {
        Look(
            width: Output.width, colours: Output.hasColours(STDOUT_FILENO),
            isUnicode: Output.isUnicode)
    }

    func coloured(_ text: String, _ colour: Output.Colour?) -> String {
        guard colours, let colour, !text.isEmpty else { return text }
        return Output.coloured(text, colour)
    }
}

/// How something does, in a sign and a colour; words stand beside them.
enum Standing: Int, Comparable {
    case failing, retrying, waiting, well

    static func < (left: Standing, right: Standing) -> Bool { left.rawValue < right.rawValue }

    func mark(_ look: Look) -> String {
        switch self {
        case .failing: look.isUnicode ? "×" : "x"
        case .retrying: look.isUnicode ? "↻" : "~"
        case .waiting: look.isUnicode ? "○" : "o"
        case .well: look.isUnicode ? "●" : "*"
        }
    }

    var colour: Output.Colour {
        switch self {
        case .failing: .red
        case .retrying, .waiting: .yellow
        case .well: .green
        }
    }
}

extension DaemonStatus {
    /// The worst of all.
    var standing: Standing {
        let intake: Standing =
            switch intake {
            case "running": .well
            case "opening", "waiting": .waiting
            default: .failing
            }
        let all = connectors.map { $0.standing(at: now) } + (orphans.isEmpty ? [] : [.waiting])
        return all.reduce(intake, min)
    }
}

extension DaemonStatus.Connector {
    func standing(at now: Timestamp) -> Standing {
        switch state {
        case .backingOff: .retrying
        case _ where troubles(at: now).contains(where: \.isFailing): .failing
        case .unverified, .paused: .waiting
        case .delivering, .credentialsFailing, .misconfigured, .other: .well
        }
    }
}
