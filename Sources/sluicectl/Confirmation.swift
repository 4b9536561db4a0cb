import ArgumentParser
import Glibc

/// Asks whoever sits at the terminal before something is given up for good.
enum Confirmation {
    /// Refuses, before anything is asked of the daemon, where nobody could say yes.
    static func require(unless isGiven: Bool) throws {
        guard !isGiven, isatty(STDIN_FILENO) == 0 else { return }
        throw Refusal(
            "this cannot be undone, and nobody is at a terminal to be asked; say --yes",
            .validationFailure
        ).show()
    }

    /// True for an answer that begins with y or Y.
    static func isGiven(to question: String) -> Bool {
        Output.prompt(question + " [y/N] ")
        return isYes(readLine())
    }

    static func isYes(_ answer: String?) -> Bool {
        answer?.first { !$0.isWhitespace }?.lowercased() == "y"
    }
}
