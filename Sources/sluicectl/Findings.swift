import ArgumentParser
import Configuration
import Glibc
import Model

/// Tells people what is wrong with a configuration.
enum Findings {
    static func show(_ loaded: LoadedConfiguration) {
        for warning in loaded.warnings {
            Output.error(Output.coloured("warning: ", .yellow, on: STDERR_FILENO) + "\(warning)")
        }
        for problem in loaded.problems {
            Output.error(Output.coloured("error: ", .red, on: STDERR_FILENO) + "\(problem)")
        }
    }

    /// Shows the problems and throws their status; does nothing where there is none.
    static func refuse(_ loaded: LoadedConfiguration) throws {
        guard let status = status(of: loaded) else { return }
        show(loaded)
        throw status
    }

    /// nil for a sound configuration.
    ///
    /// Wanting permission outranks the rest: the same command run by another user may find no problem.
    static func status(of loaded: LoadedConfiguration) -> ExitCode? {
        if loaded.problems.contains(where: \.isPermission) { return .noPermission }
        return loaded.problems.isEmpty ? nil : .badConfiguration
    }

    static func count(_ number: Int, _ noun: String) -> String {
        "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
    }
}
