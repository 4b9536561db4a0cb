import Model
import Testing

@Suite struct KeyTemplateTests {
    static func file(_ path: String, modified: Int64 = 1_795_869_980_123_456_789) throws
        -> ExportFile
    {
        ExportFile(
            connector: try #require(ConnectorName("reports")), name: try ExportName(path: path),
            modified: modified, size: 7)
    }

    static let digest = (0..<32).map { UInt8($0 * 8 + 7) }

    @Test(
        "Members stand for what is known of the file, and empty parts are left out",
        arguments: [
            ("{path}", "2026/11/report.csv", "2026/11/report.csv"),
            ("{name}", "2026/11/report.csv", "report.csv"),
            ("exports/{path}", "report.csv", "exports/report.csv"),
            ("{directory}/{date}/{name}", "a/b/c", "a/b/2026-11-28/c"),
            ("{directory}/{date}/{name}", "c", "2026-11-28/c"),
            ("x/{directory}/{directory}/{name}", "c", "x/c"),
            ("{date}-{timestamp}_{name}", "c", "2026-11-28-1795869980_c"),
            (
                "segment-export/{directory}/{date}/{uuid}-{timestamp}/{name}", "vip/users.zip",
                "segment-export/vip/2026-11-28/070f171f-272f-873f-874f-575f676f777f-1795869980/users.zip"
            ),
        ])
    func keys(template: String, path: String, expected: String) throws {
        let template = try KeyTemplate(template)
        #expect(template.path(try Self.file(path), digest: Self.digest) == expected)
        #expect(expected.utf8.count <= template.longest)
    }

    @Test(
        "Times before 1970, and those that fill 64 bits, have a date",
        arguments: [
            (-1, "1969-12-31/-1/a"), (-1_000_000_000, "1969-12-31/-1/a"), (0, "1970-01-01/0/a"),
            (999_999_999, "1970-01-01/0/a"), (.max, "2262-04-11/9223372036/a"),
            (.min, "1677-09-21/-9223372037/a"),
        ] as [(Int64, String)])
    func times(modified: Int64, expected: String) throws {
        let template = try KeyTemplate("{date}/{timestamp}/{name}")
        #expect(template.path(try Self.file("a", modified: modified), digest: []) == expected)
    }

    @Test(
        "A template reads back as it was written, and knows its members and what comes before them",
        arguments: [
            ("{path}", [.path], ""), ("a/{date}/{name}", [.date, .name], "a/"),
            ("é{path}", [.path], "é"),
        ] as [(String, Set<KeyTemplate.Member>, String)])
    func description(text: String, names: Set<KeyTemplate.Member>, prefix: String) throws {
        let template = try KeyTemplate(text)
        #expect(template.description == text)
        #expect(template.names == names)
        #expect(template.prefix == prefix)
        #expect(try KeyTemplate("{path}") == .standard)
    }

    @Test(
        "A template that cannot give each file a key of its own is refused",
        arguments: [
            ("", .nameless), ("report.csv", .nameless), ("{date}/{uuid}", .nameless),
            ("{directory}/x", .nameless), ("{path", .brace), ("path}", .brace),
            ("a{path}}", .brace),
            ("{{path}}", .unknown("{path")), ("{}", .unknown("")), ("{Path}", .unknown("Path")),
            ("/{path}", .slashAtAnEnd), ("{path}/", .slashAtAnEnd), ("a//{path}", .emptyPart),
            ("../{path}", .resolvedPart("..")), ("./{path}", .resolvedPart(".")),
            (".{directory}./{path}", .resolvedPart("..")), ("a\n{path}", .control),
        ] as [(String, KeyTemplate.Fault)])
    func faults(text: String, fault: KeyTemplate.Fault) {
        #expect(throws: fault) { try KeyTemplate(text) }
    }
}
