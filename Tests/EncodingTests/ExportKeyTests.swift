import Encoding
import Model
import Testing

@Suite struct ExportKeyTests {
    private func key(
        _ template: String, folder: String = "", connector: String = "reports",
        path: String = "a/b.csv",
        modified: Int64 = 1_795_869_980_123_456_789, size: UInt64 = 7
    ) throws -> String {
        ExportFile(
            connector: try #require(ConnectorName(connector)), name: try ExportName(path: path),
            modified: modified, size: size
        ).key(folder: folder, template: try KeyTemplate(template))
    }

    @Test("A key begins with the folder, if there is one")
    func folder() throws {
        #expect(try key("{path}") == "a/b.csv")
        #expect(try key("{path}", folder: "x/y") == "x/y/a/b.csv")
    }

    @Test("An identifier is the same each time, another for another file, and says its version")
    func identifier() throws {
        let one = try key("{uuid}/{name}")
        // Python: uuid of hashlib.sha256(b"reports\na/b.csv\n1795869980123456789\n7\n"), version 8.
        #expect(one == "79ce7424-b93d-863a-bbb1-51c5f8f72228/b.csv")
        #expect(try key("{uuid}/{name}") == one)
        let others = [
            try key("{uuid}/{name}", connector: "reports-2"),
            try key("{uuid}/{name}", path: "a2/b.csv"),
            try key("{uuid}/{name}", modified: 1_795_869_980_123_456_790),
            try key("{uuid}/{name}", size: 8),
        ]
        #expect(Set(others + [one]).count == 5)
    }
}
