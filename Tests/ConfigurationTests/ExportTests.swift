import Configuration
import Model
import Testing

@Suite struct ExportTests {
    typealias Case = ConnectorProblemTests.Case

    private static let base = "kind = \"data-export\"\n"
    private static let refusal = "kind: \"data-export\" is not in this version; write \"currents\""

    private static func problems(_ text: String) -> [String] {
        let sandbox = Sandbox()
        sandbox.connector("reports", base + "bucket = \"acme\"\n" + text)
        return sandbox.load().problemTexts.map {
            String($0.dropFirst("connectors.d/reports.toml: ".count))
        }
        .filter { $0 != refusal }
    }

    @Test("An export connector of two lines puts files into the bucket's root under their names")
    func defaults() throws {
        let sandbox = Sandbox()
        sandbox.connector("reports", Self.base + "bucket = \"acme\"")
        let loaded = sandbox.load()
        #expect(loaded.warningTexts == [])
        #expect(loaded.problemTexts == ["connectors.d/reports.toml: " + Self.refusal])
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
}
