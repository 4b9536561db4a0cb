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

    @Test(
        "A connector of files takes any file under its name, and a name with slashes under another")
    func exports() throws {
        directory.write("kind = \"data-export\"\nbucket = \"acme\"", to: "connectors.d/orders.toml")
        let file = directory.write("a,b\n", to: "50% off.csv")
        let other = directory.write("{}\n", to: ".hidden.tmp")
        #expect(run("--connector", "orders", file, other) == .success)
        #expect(run("--connector", "orders", "--as", "2026/11/report.csv", file) == .success)
        #expect(run("--connector", "orders", "--as", "2026/12/", file, other) == .success)
        #expect(
            directory.names(in: "spool/incoming/orders") == [
                "%2Ehidden%2Etmp", "2026%2F11%2Freport.csv", "2026%2F12%2F.hidden%2Etmp",
                "2026%2F12%2F50%25%20off.csv", "50%25%20off.csv",
            ])
        #expect(directory.text("spool/incoming/orders/50%25%20off.csv") == "a,b\n")
        #expect(directory.text("50% off.csv") == "a,b\n")
    }

    @Test("A name that cannot be a key refuses all, and so does what means nothing for events")
    func exportNames() {
        let file = directory.write("a,b\n", to: "a.csv")
        let events = directory.write("{}\n", to: "a.jsonl")
        #expect(run("--connector", "orders", "--as", "a.csv", events) == .validationFailure)
        #expect(run("--connector", "orders", "--wait", events) == .validationFailure)
        #expect(run("--as", "a.csv", file) == .validationFailure)
        #expect(run("--wait", file) == .validationFailure)
        #expect(run("--connector", "orders", "--timeout", "5m", file) == .validationFailure)
        directory.write("kind = \"data-export\"\nbucket = \"acme\"", to: "connectors.d/orders.toml")
        for name in ["../a.csv", "/a.csv", "a//b.csv", "a\nb", String(repeating: "x", count: 141)] {
            #expect(
                run("--connector", "orders", "--as", name, file) == .validationFailure, "\(name)")
        }
        #expect(run("--connector", "orders", "--as", "a.csv", file, events) == .validationFailure)
        #expect(run("--connector", "orders", "-") == .validationFailure)
        #expect(run("--connector", "orders", "--as", "a/", "-") == .validationFailure)
        #expect(
            run("--connector", "orders", "--wait", "--timeout", "5", file) == .validationFailure)
        #expect(directory.names(in: "spool/incoming/orders") == [])
    }

    @Test("While the spool still has a file of the name, another one does not take its place")
    func takenExport() {
        directory.write("kind = \"data-export\"\nbucket = \"acme\"", to: "connectors.d/orders.toml")
        let file = directory.write("new", to: "a.csv")
        directory.write("old", to: "spool/incoming/orders/a.csv")
        #expect(run("--connector", "orders", file) == .tryAgainLater)
        #expect(directory.names(in: "spool/incoming/orders") == ["a.csv"])
        #expect(directory.text("spool/incoming/orders/a.csv") == "old")
    }

    @Test("Of a connector whose file may not be read, names tell what is submitted")
    func unreadableConnector() throws {
        directory.write("kind = ", to: "connectors.d/orders.toml")
        let target = SubmitTarget.of(
            ConnectorName("orders"), beside: directory.path + "/sluice.toml")
        let events = try #require(EventFileName(ofPath: "a.json"))
        #expect(try target.name(of: "x/a.json", as: nil) == .events(events))
        #expect(try target.name(of: "x/a.csv", as: nil) == .export(ExportName(path: "a.csv")))
        #expect(try target.name(of: "x/a.json", as: "b/") == .export(ExportName(path: "b/a.json")))
    }
}
