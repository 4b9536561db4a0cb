import ArgumentParser
import Files
import Glibc
import Model
import Testing

@testable import sluicectl

@Suite("Putting files into the spool")
struct IncomingTests {
    private let directory = SpoolDirectory()
    private var spool: String { directory.path + "/spool" }

    private func submit(
        _ file: String, connector: String? = nil, unfinished: @escaping (String?) -> Void = { _ in }
    ) throws -> Incoming.Submitted {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var incoming = try Incoming(
            spool: spool, connector: connector.flatMap { ConnectorName($0) })
        incoming.unfinished = unfinished
        let name = try #require(EventFileName(ofPath: file))
        return try incoming.submit(
            .init(shown: file, descriptor: descriptor, name: .events(name)))
    }

    @Test("A copy appears in the connector's directory, readable for the group; the file stays")
    func copy() throws {
        let file = directory.write("{}\n", to: "events.jsonl")
        let before = umask(0o077)
        defer { umask(before) }
        let submitted = try submit(file, connector: "orders")
        #expect(submitted.name == "events.jsonl" && submitted.bytes == 3)
        #expect(directory.names(in: "spool/incoming/orders") == ["events.jsonl"])
        #expect(directory.text("spool/incoming/orders/events.jsonl") == "{}\n")
        #expect(directory.mode("spool/incoming/orders/events.jsonl") == 0o640)
        #expect(directory.text("events.jsonl") == "{}\n")
        #expect(directory.mode("events.jsonl") == 0o600)
    }

    @Test("A name that is taken gets a number, and nothing is replaced")
    func numbers() throws {
        let file = directory.write("first", to: "events.jsonl.gz")
        #expect(try submit(file).name == "events.jsonl.gz")
        directory.write("second", to: "events.jsonl.gz")
        #expect(try submit(file).name == "events-1.jsonl.gz")
        directory.write("third", to: "events.jsonl.gz")
        #expect(try submit(file).name == "events-2.jsonl.gz")
        #expect(directory.text("spool/incoming/events.jsonl.gz") == "first")
        #expect(directory.text("spool/incoming/events-1.jsonl.gz") == "second")
        #expect(directory.text("spool/incoming/events-2.jsonl.gz") == "third")
    }

    @Test("Until it is whole, a file has a hidden name that intake leaves alone")
    func hidden() throws {
        let file = directory.write("{}\n", to: "events.jsonl")
        let hidden = "\(directory.incoming)/.events.jsonl.\(getpid()).tmp"
        var seen: [String?] = []
        _ = try submit(file) { path in
            seen.append(path)
            guard path != nil else { return }
            #expect(directory.names(in: "spool/incoming").first == ".events.jsonl.\(getpid()).tmp")
            #expect(!directory.names(in: "spool/incoming").contains("events.jsonl"))
        }
        #expect(seen == [hidden, nil])
    }

    @Test("A hidden file that a killed process left is neither used nor removed")
    func leftover() throws {
        let left = ".events.jsonl.\(getpid()).tmp"
        directory.write("left", to: "spool/incoming/" + left)
        let file = directory.write("{}\n", to: "events.jsonl")
        #expect(try submit(file).name == "events.jsonl")
        #expect(directory.names(in: "spool/incoming") == [left, "events.jsonl", "orders"])
        #expect(directory.text("spool/incoming/" + left) == "left")
    }

    @Test("When the copy fails, the error names the file and nothing is left")
    func failure() throws {
        let source = directory.path + "/connectors.d"
        let descriptor = open(source, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let name = try #require(EventFileName(ofPath: "directory.jsonl"))
        let incoming = try Incoming(spool: spool, connector: nil)
        #expect(throws: Refusal("directory.jsonl: it is a directory; name the files in it")) {
            try incoming.submit(
                .init(shown: "directory.jsonl", descriptor: descriptor, name: .events(name)))
        }
        #expect(directory.names(in: "spool/incoming") == ["orders"])
    }

    @Test("A spool or a directory of a connector that is missing is told apart")
    func missing() throws {
        let none = #expect(throws: Refusal.self) {
            try Incoming(spool: directory.path + "/none", connector: nil)
        }
        #expect(none?.status == .tryAgainLater)
        #expect(none?.text.hasPrefix("there is no spool: \(directory.path)/none/incoming") == true)
        #expect(none?.text.contains("was it ever started?") == true)

        let billing = ConnectorName("billing")
        let unknown = #expect(throws: Refusal.self) {
            try Incoming(spool: spool, connector: billing)
        }
        #expect(unknown?.status == .tryAgainLater)
        #expect(unknown?.text.contains("systemctl reload sluiced") == true)
    }

    @Test(
        "An error of the system says what to do, and ends with its status",
        arguments: [
            (FileError(operation: "open", path: "x", code: EACCES), 77, "group sluice-producers"),
            (FileError(operation: "write", path: "x", code: ENOSPC), 75, "is full"),
            (FileError(operation: "fsync", path: "x", code: EDQUOT), 75, "is full"),
            (FileError(operation: "rename", path: "x", code: EEXIST), 75, "is sluiced running?"),
            (FileError(operation: "rename", path: "x", code: EINVAL), 1, "without replacing"),
            (FileError(operation: "write", path: "x", code: EIO), 1, "write x: Input/output error"),
        ])
    func errors(error: FileError, status: Int32, text: String) throws {
        let incoming = try Incoming(spool: spool, connector: nil)
        let refusal = incoming.refusal(of: error, shown: "events.jsonl")
        #expect(refusal.status == ExitCode(status))
        #expect(refusal.text.hasPrefix("events.jsonl: "))
        #expect(refusal.text.contains(text))
    }
}
