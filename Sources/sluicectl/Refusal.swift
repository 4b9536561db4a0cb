import ArgumentParser
import Glibc

/// Why a command did not do what was asked, in a sentence that says what to do, and how it ends.
struct Refusal: Error, Equatable {
    var text: String
    var status: ExitCode

    init(_ text: String, _ status: ExitCode = .failed) {
        self.text = text
        self.status = status
    }

    /// Tells people, and ends the program.
    func end() -> Never {
        exit(show().rawValue)
    }

    /// Tells people; the status is for the caller to end with.
    func show() -> ExitCode {
        Output.error(Output.coloured("error: ", .red, on: 2) + Output.plain(text))
        return status
    }
}
