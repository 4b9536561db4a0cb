import ArgumentParser
import Glibc
import Model
import Testing

@testable import sluicectl

@Suite("sluicectl submit")
struct SubmitCommandTests {
    private let directory = SpoolDirectory()

    /// The status that the command ends with.
    private func run(_ arguments: String...) -> ExitCode {
        do {
            var command = try Sluicectl.parseAsRoot(
                ["submit", "--config", directory.path + "/sluice.toml"] + arguments)
            try command.run()
            return .success
        } catch {
            return Sluicectl.exitCode(for: error)
        }
    }

    @Test("Files of a connector go into its directory")
    func connector() {
        let first = directory.write("{}\n", to: "first.jsonl")
        let second = directory.write("{}\n", to: "second.json.gz")
        #expect(run("--connector", "orders", first, second) == .success)
        #expect(
            directory.names(in: "spool/incoming/orders") == ["first.jsonl", "second.json.gz"])
        #expect(directory.names(in: "spool/incoming") == ["orders"])
    }

    @Test("A connector's file that is wrong stops nobody; sluice.toml that is wrong does")
    func mistakes() {
        let file = directory.write("{}\n", to: "first.jsonl")
        directory.write("bucket = ", to: "connectors.d/orders.toml")
        #expect(run("--connector", "orders", file) == .success)
        directory.write("[spool", to: "sluice.toml")
        #expect(run(file) == .badConfiguration)
    }

    @Test("One name that is no event file's refuses all, before anything is put there")
    func names() {
        let file = directory.write("{}\n", to: "first.jsonl")
        let other = directory.write("a,b\n", to: "second.csv")
        #expect(run(file, other) == .validationFailure)
        #expect(run("-", "-") == .validationFailure)
        #expect(directory.names(in: "spool/incoming") == ["orders"])
    }

    @Test("A file that cannot be read fails the command; the others go")
    func unreadable() {
        let file = directory.write("{}\n", to: "second.jsonl")
        #expect(run(directory.path + "/missing.jsonl", file) == .failed)
        #expect(directory.names(in: "spool/incoming") == ["orders", "second.jsonl"])
    }

    @Test("A connector that is not configured is refused with the names that are")
    func unknown() {
        let file = directory.write("{}\n", to: "first.jsonl")
        #expect(run("--connector", "billing", file) == .failed)
        let known = [ConnectorName("orders"), ConnectorName("web")].compactMap(\.self)
        #expect(throws: Refusal("there is no connector \"Web\"; there are: orders, web")) {
            try SubmitCommand.connector("Web", among: known)
        }
        #expect(throws: Refusal("there is no connector \"web\"; none is configured")) {
            try SubmitCommand.connector("web", among: [])
        }
    }

    @Test("Where the connectors may not be listed, any name that can be one is tried")
    func unlisted() throws {
        #expect(try SubmitCommand.connector("web", among: nil) == ConnectorName("web"))
        #expect(throws: Refusal.self) { try SubmitCommand.connector("a/b", among: nil) }
    }
}
