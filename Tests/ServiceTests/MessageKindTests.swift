import Glibc
import Systemd
import Testing

@Suite struct MessageKindTests {
    @Test("Every kind has an ID of its own, random as a version 4 UUID is")
    func uniqueIDs() {
        let ids = MessageKind.allCases.map(\.id.description)
        #expect(Set(ids).count == ids.count)
        for id in ids {
            #expect(id.utf8.count == 32 && id.allSatisfy { "0123456789abcdef".contains($0) })
            #expect(Array(id)[12] == "4")
        }
    }

    @Test("The catalog explains every kind and no other")
    func catalogAgrees() throws {
        let catalog = try Catalog(repositoryFile("systemd/sluice.catalog"))
        let ids = Set(MessageKind.allCases.map(\.id.description))
        #expect(Set(catalog.entries.keys) == ids)
        #expect(catalog.entries.count == catalog.headers, "an ID stands twice")
        for kind in MessageKind.allCases {
            let entry = try #require(catalog.entries[kind.id.description], "\(kind)")
            #expect(entry.contains("Subject: "), "\(kind)")
            #expect(entry.contains("Documentation: man:sluiced(8)"), "\(kind)")
            // After the head: what happened, what it means for the data, what to do.
            let paragraphs = entry.split(separator: "\n\n").dropFirst()
            #expect(paragraphs.count >= 2, "\(kind)")
        }
    }

    @Test("The catalog shows no field whose value others choose: journalctl does not escape it")
    func catalogIsSafe() throws {
        let catalog = try repositoryFile("systemd/sluice.catalog")
        let shown = Set(catalog.matches(of: /@(SLUICE_[A-Z0-9_]+)@/).map { String($0.1) })
        let ours: Set<JournalField.Name> = [.connector, .bucket, .key, .events]
        #expect(shown.isSubset(of: ours.map(\.rawValue)) && !shown.isEmpty)
    }

    @Test(
        "The names of fields are such as the journal takes", arguments: JournalField.Name.allCases)
    func fieldNames(_ name: JournalField.Name) {
        let text = name.rawValue
        #expect(text.hasPrefix("SLUICE_") && text.utf8.count <= 64)
        #expect(text.allSatisfy { $0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_") })
    }

    @Test("A level is found by the name that configuration gives it", arguments: Priority.allCases)
    func levelNames(_ priority: Priority) {
        #expect(Priority(name: priority.name) == priority)
        #expect(Priority(name: priority.name.uppercased()) == nil)
    }
}

/// A message catalog, as much of its syntax as matters here: `-- <id>` starts an entry.
private struct Catalog {
    var entries: [String: String] = [:]
    var headers = 0

    init(_ text: String) {
        var id = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("-- ") {
                id = String(line.dropFirst(3))
                headers += 1
                entries[id] = ""
            } else if !id.isEmpty, !line.hasPrefix("#") {
                entries[id, default: ""] += line + "\n"
            }
        }
    }
}

/// The text of a file of this repository.
private func repositoryFile(_ path: String, from test: String = #filePath) throws -> String {
    let root = test.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let full = (root + [Substring(path)]).joined(separator: "/")
    let file = try #require(fopen(full, "r"), "\(full)")
    defer { fclose(file) }
    var text: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&part, 1, part.count, file), count > 0 { text += part[..<count] }
    return String(decoding: text, as: UTF8.self)
}
