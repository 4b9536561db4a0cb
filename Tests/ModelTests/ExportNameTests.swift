import Model
import Testing

@Suite struct ExportNameTests {
    @Test(
        "A file's name says what the object is called, and a path has one file name",
        arguments: [
            ("report.csv", "report.csv", "report.csv"),
            ("2026%2F11%2Freport.csv", "2026/11/report.csv", "2026%2F11%2Freport.csv"),
            ("2026%2f11%2freport.csv", "2026/11/report.csv", "2026%2F11%2Freport.csv"),
            ("100%25.csv", "100%.csv", "100%25.csv"),
            ("%41%2E%2e%2E.csv", "A....csv", "A....csv"),
            ("a b.csv", "a b.csv", "a%20b.csv"), ("a+b?#&=.csv", "a+b?#&=.csv", "a+b?#&=.csv"),
            ("straße.csv", "straße.csv", "stra%C3%9Fe.csv"),
            ("stra%C3%9Fe.csv", "straße.csv", "stra%C3%9Fe.csv"),
            ("%F0%9F%8C%8A", "🌊", "%F0%9F%8C%8A"), ("...", "...", "%2E.."),
            ("%2Ebashrc", ".bashrc", "%2Ebashrc"), ("a%2F.b", "a/.b", "a%2F.b"),
            ("a%2Etmp", "a.tmp", "a%2Etmp"), ("%2Epart", ".part", "%2Epart"),
            ("a.tmp.csv", "a.tmp.csv", "a.tmp.csv"), ("a%2Ftmp", "a/tmp", "a%2Ftmp"),
            ("x", "x", "x"),
        ])
    func valid(fileName: String, path: String, canonical: String) throws {
        let name = try ExportName(fileName: fileName)
        #expect(Array(name.path.utf8) == Array(path.utf8))
        #expect(name.fileName == canonical)
        #expect(try ExportName(fileName: canonical) == name)
        #expect(try ExportName(path: path) == name)
    }

    @Test(
        "A name that cannot be a key, or that tools would take for another, is refused",
        arguments: [
            ("", .empty), ("%", .strayPercent), ("100%.csv", .strayPercent), ("a%2", .strayPercent),
            ("a%2Gb", .strayPercent), ("%FF.csv", .notUTF8), ("%C0%AF", .notUTF8),
            ("%ED%A0%80", .notUTF8), ("a%00b", .control), ("a%0Ab", .control), ("a\tb", .control),
            ("a%7F", .control), ("%C2%85", .control), ("%2Fa", .slashAtAnEnd),
            ("a%2F", .slashAtAnEnd),
            ("%2F", .slashAtAnEnd), ("a%2F%2Fb", .emptyPart), ("..", .resolvedPart("..")),
            (".", .resolvedPart(".")), ("a%2F..%2Fb", .resolvedPart("..")),
            ("%2E%2E%2Fetc", .resolvedPart("..")), ("a%2F.", .resolvedPart(".")),
        ] as [(String, ExportName.Fault)])
    func invalid(fileName: String, fault: ExportName.Fault) {
        #expect(throws: fault) { try ExportName(fileName: fileName) }
    }

    @Test("A name has the length that the spool has room for, as it is written there")
    func length() throws {
        let most = ExportName.longest
        #expect(
            try ExportName(path: String(repeating: "x", count: most)).fileName.utf8.count == most)
        #expect(throws: ExportName.Fault.tooLong(most + 1)) {
            try ExportName(path: String(repeating: "x", count: most + 1))
        }
        // Each "ö" is written as six characters.
        #expect(throws: ExportName.Fault.tooLong(144)) {
            try ExportName(fileName: String(repeating: "ö", count: 24))
        }
        #expect(throws: ExportName.Fault.tooLong(255)) {
            try ExportName(fileName: String(repeating: "x", count: 255))
        }
    }

    @Test(
        "A name has a last part, and a directory where something stands before it",
        arguments: [
            ("report.csv", "", "report.csv"), ("2026/11/report.csv", "2026/11", "report.csv"),
            ("a/\u{301}b", "a", "\u{301}b"),
        ])
    func parts(path: String, directory: String, name: String) throws {
        let export = try ExportName(path: path)
        #expect(export.directory == directory)
        #expect(export.name == name)
    }

    @Test("Two spellings of one letter are two names, as they are two keys")
    func spellings() throws {
        let (one, two) = (try ExportName(path: "\u{e9}"), try ExportName(path: "e\u{301}"))
        #expect(one != two)
        #expect(Set([one, two]).count == 2)
    }
}

@Suite struct ContentTypeTests {
    @Test(
        "The end of a name tells the type, in either case",
        arguments: [
            ("report.csv", "text/csv"), ("REPORT.CSV", "text/csv"),
            ("a.csv.gz", "application/gzip"),
            ("a.jsonl", "application/x-ndjson"), ("a.parquet", "application/vnd.apache.parquet"),
            ("a", "application/octet-stream"), ("a.", "application/octet-stream"),
            (".csv", "application/octet-stream"), ("a.unheard", "application/octet-stream"),
        ])
    func table(name: String, expected: String) {
        #expect(ContentType.of(name) == expected)
    }
}
