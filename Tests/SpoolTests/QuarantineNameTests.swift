import Model
import Testing

@testable import Spool

/// Names say all that is known of what was refused, and of what is tried again.
@Suite struct QuarantineNameTests {
    private func name(_ text: String) throws -> ConnectorName {
        try #require(ConnectorName(text))
    }

    @Test func `Names in quarantine are read as they are written`() throws {
        let files = [
            QuarantineName.KeptFile(connector: nil, from: nil, original: "a-b,c.jsonl"),
            .init(connector: try name("a-b"), from: 17, original: "-,x.json"),
            .init(connector: nil, from: nil, original: "e.jsonl", isOld: true),
        ]
        for kind in files.map({ QuarantineName.Kind.file($0) }) + [.rejects, .reason] {
            let name = QuarantineName(number: 0x1f, kind: kind)
            #expect(QuarantineName(name.text) == name, "\(name.text)")
        }
        for text in [
            "000000000000001f", "000000000000001F.rejects", "1f.rejects", "000000000000001f,a-b",
            "000000000000001f,A,1-b", "000000000000001f,_,x-b", "000000000000001f,_,+1-b",
        ] {
            #expect(QuarantineName(text) == nil, "\(text)")
        }
        #expect(QuarantineID("1f-events")?.description == "1f-events")
        #expect(QuarantineID("1f") == nil && QuarantineID("1f-other") == nil)
    }

    @Test func `Names of retried files are read as they are written, however long`() throws {
        let long = try name(String(repeating: "c", count: 63))
        var file = ActiveName(
            number: .max >> 1, accepted: Timestamp(unixSeconds: 1_795_000_000), size: .max,
            encoding: .plain, connector: long,
            original: String(repeating: "n", count: 114) + ".jsonl")
        for contents in [
            ActiveName.Contents.rejects(of: long), .rejects(of: nil), .events(from: .max),
            .events(from: 0),
        ] {
            file.contents = contents
            let fitted = file.fitted
            #expect(fitted.text.utf8.count <= 255)
            #expect(ActiveName(fitted.text) == fitted)
            #expect(fitted.original.hasSuffix(".jsonl"))
        }
        for kind in ["plain+0", "plain+01", "gzip+", "rejects+A", "rejects+", "zip"] {
            #expect(ActiveName("0000000000000001.1.1.\(kind)._.e.jsonl") == nil)
        }
    }
}
