import Model
import Testing

@Suite struct RenamedKeyTests {
    @Test(arguments: [
        ("report.csv", ["report-2.csv", "report-3.csv", "report-4.csv"]),
        ("a/b/report.csv", ["a/b/report-2.csv", "a/b/report-3.csv"]),
        ("a.b/report", ["a.b/report-2", "a.b/report-3"]),
        ("backup.tar.gz", ["backup-2.tar.gz", "backup-3.tar.gz"]),
        (".tar.gz", [".tar-2.gz", ".tar-3.gz"]),
        (".env", [".env-2", ".env-3"]),
        // What it was called at first stays, whatever it ends in.
        ("report-2.csv", ["report-2-2.csv", "report-2-3.csv"]),
        ("zahl\u{00fc}.csv", ["zahl\u{00fc}-2.csv"]),
    ])
    func `A key that is taken gets the next number`(key: String, expected: [String]) {
        var key = key
        for (renamed, next) in expected.enumerated() {
            key = RenamedKey.next(after: key, renamed: renamed) ?? ""
            #expect(key == next)
        }
    }

    @Test func `A key that would be too long has no next`() {
        let key = String(repeating: "k", count: ObjectKey.longest - 2)
        #expect(RenamedKey.next(after: String(key), renamed: 0) == key + "-2")
        #expect(RenamedKey.next(after: key + "k", renamed: 0) == nil)
    }
}
