import Configuration
import Model
import Testing

@Suite struct ExportTests {
    typealias Case = ConnectorProblemTests.Case

    private static let base = "kind = \"data-export\"\n"

    private static func problems(_ text: String) -> [String] {
        let sandbox = Sandbox()
        sandbox.connector("reports", base + "bucket = \"acme\"\n" + text)
        return sandbox.load().problemTexts.map {
            String($0.dropFirst("connectors.d/reports.toml: ".count))
        }
    }

    @Test("An export connector of two lines puts files into the bucket's root under their names")
    func defaults() throws {
        let sandbox = Sandbox()
        sandbox.connector("reports", Self.base + "bucket = \"acme\"")
        let loaded = sandbox.load()
        #expect(loaded.warningTexts == [])
        #expect(loaded.problemTexts == [])
        let connector = try #require(loaded.settings.connectors.first)
        #expect(connector.kind == .dataExport)
        #expect(connector.folder == "")
        #expect(connector.events == [])
        #expect(connector.keyTemplate == .standard)
        #expect(connector.onConflict == .refuse)
        #expect(connector.removeAfter == nil)
    }

    @Test("Every key of exports is read")
    func everything() throws {
        let sandbox = Sandbox()
        sandbox.connector(
            "reports",
            Self.base + """
                bucket = "acme"
                folder = "exports"
                key = "{directory}/{date}/{name}"
                on_conflict = "rename"
                remove_after = "4h"
                """)
        let connector = try #require(sandbox.load().settings.connectors.first)
        #expect(connector.folder == "exports")
        #expect(connector.keyTemplate == (try KeyTemplate("{directory}/{date}/{name}")))
        #expect(connector.onConflict == .rename)
        #expect(connector.removeAfter == .seconds(4 * 3600))
    }

    @Test(
        "A value that cannot work is named with what would",
        arguments: [
            Case(
                "key = \"{date}\"",
                "key: \"{date}\" has neither {path} nor {name}, so all files would have one key"),
            Case(
                "key = \"{file}\"",
                "key: \"{file}\" has {file}; there are {path}, {name}, {directory}, {date}, {timestamp}, {uuid}"
            ),
            Case("key = \"/{path}\"", "key: \"/{path}\" must not begin or end with a slash"),
            Case("key = 3", "key: must be a string, not a whole number"),
            Case(
                "on_conflict = \"skip\"",
                "on_conflict: \"skip\" is unknown; it must be \"refuse\", \"rename\" or \"overwrite\""
            ),
            Case(
                "remove_after = \"0s\"",
                "remove_after: \"0s\" is out of range; it must be from \"1s\" to \"366d\""),
            Case(
                "key = \"\(String(repeating: "k", count: 900)){path}\"",
                "key: with it, keys may have 1,040 bytes, and S3 allows 1,024; shorten it by 16"),
        ])
    func values(subject: Case) {
        #expect(Self.problems(subject.text) == subject.problems)
    }

    @Test(
        "What only events have is refused in a sentence, whole tables too",
        arguments: [
            "events = [\"*\"]", "default_event_type = \"a\"", "format = \"jsonl\"",
            "compression = \"gzip\"",
            "integration_id = \"a\"", "[transform]\nemail = \"hash\"", "[batch]\nmax_events = 1",
        ])
    func ofEvents(text: String) {
        let key = text.split { "[] =\n".contains($0) }[0]
        #expect(
            Self.problems(text) == [
                "\(key): has no meaning with kind = \"data-export\": files go as they are; remove it"
            ])
    }

    @Test(
        "What only exports have is refused beside events",
        arguments: ["key = \"{path}\"", "on_conflict = \"rename\"", "remove_after = \"4h\""])
    func ofExports(text: String) {
        let key = text.split(separator: " ")[0]
        #expect(
            ConnectorProblemTests.problems(text) == [
                "\(key): has a meaning only with kind = \"data-export\""
            ])
    }

    /// Two connectors on one bucket, each with its folder and, for files, its key.
    struct Pair: Sendable, CustomTestStringConvertible {
        var currents: String
        var folder: String
        var key = "{path}"
        var problem: String?

        var testDescription: String { "\(currents) beside \(folder)/\(key)" }
    }

    @Test(
        "Files do not go into a folder of events; beside it and around it they may",
        arguments: [
            Pair(currents: "currents", folder: ""), Pair(currents: "a/b", folder: "a"),
            Pair(currents: "a", folder: "a-b"),
            Pair(currents: "a", folder: "", key: "a-{date}/{name}"),
            Pair(currents: "a", folder: "", key: "{directory}/a/{name}"),
            Pair(currents: "a", folder: "a", problem: "\"a\""),
            Pair(currents: "a", folder: "a/b", problem: "\"a/b\""),
            Pair(currents: "", folder: "a", problem: "\"a\""),
            Pair(currents: "", folder: "", problem: "the root"),
            Pair(currents: "a", folder: "", key: "a/{path}", problem: "\"a\""),
            Pair(currents: "a/b", folder: "a", key: "b/c/x-{name}", problem: "\"a/b/c\""),
        ])
    func beside(pair: Pair) {
        let sandbox = Sandbox()
        sandbox.connector(
            "orders", "bucket = \"acme\"\nformat = \"jsonl\"\nfolder = \"\(pair.currents)\"")
        sandbox.connector(
            "reports",
            Self.base + "bucket = \"acme\"\nfolder = \"\(pair.folder)\"\nkey = \"\(pair.key)\"")
        let problems = sandbox.load().problemTexts
        #expect(
            problems
                == (pair.problem.map {
                    [
                        "connectors.d/reports.toml: folder: files go to \($0) in bucket \"acme\", "
                            + "which belongs to connector \"orders\", of kind \"currents\"; "
                            + "give each a folder of its own"
                    ]
                } ?? []))
    }

    @Test("A folder of events into which files go is refused, too")
    func around() {
        let sandbox = Sandbox()
        sandbox.connector("a", Self.base + "bucket = \"acme\"\nfolder = \"x/y\"")
        sandbox.connector("b", "bucket = \"acme\"\nformat = \"jsonl\"\nfolder = \"x\"")
        sandbox.connector("c", Self.base + "bucket = \"acme\"\nfolder = \"x/y/z\"")
        #expect(
            sandbox.load().problemTexts == [
                "connectors.d/b.toml: folder: \"x\" in bucket \"acme\" is where connector \"a\" puts "
                    + "files; give each a folder of its own",
                "connectors.d/c.toml: folder: \"x/y/z\" in bucket \"acme\" lies inside \"x/y\", the "
                    + "folder of connector \"a\"; give each a folder of its own",
            ])
    }
}
