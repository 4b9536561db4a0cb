import Testing

@testable import sluicectl

@Suite("Names of event files")
struct EventFileNameTests {
    @Test(
        "A name is taken over, or made fit for the spool",
        arguments: [
            ("events.jsonl", "events.jsonl", "events-1.jsonl"),
            ("/var/log/app/events.ndjson", "events.ndjson", "events-1.ndjson"),
            ("a.json", "a.json", "a-1.json"),
            ("a.b.jsonl.gz", "a.b.jsonl.gz", "a.b-1.jsonl.gz"),
            ("a.ndjson.gz", "a.ndjson.gz", "a-1.ndjson.gz"),
            ("a.json.gz", "a.json.gz", "a-1.json.gz"),
            ("..hidden.jsonl", "hidden.jsonl", "hidden-1.jsonl"),
            ("x/.jsonl", "events.jsonl", "events-1.jsonl"),
        ])
    func names(path: String, first: String, second: String) throws {
        let name = try #require(EventFileName(ofPath: path))
        #expect(name.text(number: 0) == first)
        #expect(name.text(number: 1) == second)
    }

    @Test(
        "What intake would not take is refused",
        arguments: [
            "events.csv", "events", "events.jsonl.zst", "events.JSONL", "events.jsonl.tmp", "a.gz",
            "a.jsonl/", "", "jsonl",
        ])
    func refused(path: String) {
        #expect(EventFileName(ofPath: path) == nil)
    }

    @Test("A long name keeps its beginning and its extension, and no character is cut")
    func long() throws {
        let name = try #require(
            EventFileName(ofPath: String(repeating: "é", count: 120) + ".jsonl"))
        #expect(name.text(number: 0) == String(repeating: "é", count: 100) + ".jsonl")
    }
}
