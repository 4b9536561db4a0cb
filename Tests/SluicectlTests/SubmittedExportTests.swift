import Configuration
import Digest
import Model
import Testing

@testable import sluicectl

@Suite("Waiting for what was submitted")
struct SubmittedExportTests {
    private static let digest = String(repeating: "5e", count: 32)
    private let export: SubmittedExport

    init() throws {
        export = SubmittedExport(
            name: try ExportName(path: "a&b/ü.csv"),
            address: ObjectAddress(bucket: "acme", key: "exports/a&b/ü.csv"), bytes: 1000,
            digest: try #require(ContentDigest(Self.digest)), time: Timestamp(unixSeconds: 7))
    }

    @Test("The daemon is asked for the object by its key, and by the file's name and digest")
    func question() throws {
        let reports = try #require(ConnectorName("reports"))
        #expect(
            export.question(of: reports)
                == "/object?connector=reports&key=exports%2Fa%26b%2F%C3%BC.csv"
                + "&name=a%26b%2F%C3%BC.csv&sha256=\(Self.digest)&since=7")
    }

    @Test(
        "Each answer of the daemon says how far it is",
        arguments: [
            (#"{"state":"absent"}"#, .waiting(nil)),
            (#"{"state":"unknown","detail":"why"}"#, .waiting("why")),
            (#"{"state":"uploading","sent":400,"size":1000}"#, .uploading(sent: 400)),
            (#"{"state":"uploading","sent":4000,"size":1000}"#, .uploading(sent: 1000)),
            (
                #"{"state":"stored","size":1000,"sha256":"\#(Self.digest)"}"#,
                .stored(ObjectAddress(bucket: "acme", key: "exports/a&b/ü.csv"))
            ),
            (
                ##"{"state":"stored","key":"exports/a&b/ü-2.csv","sha256":"\##(Self.digest)"}"##,
                .stored(ObjectAddress(bucket: "acme", key: "exports/a&b/ü-2.csv"))
            ),
            (
                #"{"state":"stored","size":1000,"sha256":"5f"}"#,
                .waiting("another object lies at s3://acme/exports/a&b/ü.csv")
            ),
            (
                #"{"state":"other","size":3}"#,
                .waiting("another object lies at s3://acme/exports/a&b/ü.csv")
            ),
            (#"{"state":"at_fault","detail":"why"}"#, .refused("why")),
            (#"{"state":"quarantined","detail":"why"}"#, .refused("why")),
            (#"{"state":"unheard of"}"#, nil), ("[]", nil),
        ] as [(String, SubmittedExport.Progress?)])
    func answers(json: String, expected: SubmittedExport.Progress?) throws {
        #expect(export.progress(try JSONReader.read(Array(json.utf8))) == expected)
    }

    @Test("The line of progress says how much is there, how fast it goes, and for how long")
    func line() {
        var look = Look()
        look.isUnicode = false
        var progress = UploadProgress(bytes: 4_000_000_000, files: 3)
        #expect(
            progress.text(atSeconds: 1, look: look)
                == "[-------------------------]   0%  0 B of 4.0 GB, 0 of 3 files")
        progress.note(0, sent: 500_000_000, atSeconds: 2)
        progress.noteStored(0, bytes: 1_000_000_000)
        progress.note(1, sent: 600_000_000, atSeconds: 18)
        #expect(
            progress.text(atSeconds: 18, look: look)
                == "[##########---------------]  40%  1.6 GB of 4.0 GB, 1 of 3 files, 100 MB/s, 24s left"
        )
        progress.noteStored(1, bytes: 3_000_000_000)
        progress.noteStored(2, bytes: 0)
        #expect(
            progress.text(atSeconds: 30, look: look).hasPrefix(
                "[#########################] 100%  4.0 GB of 4.0 GB, 3 of 3 files"))
    }

    @Test("Files of nothing count as files")
    func nothing() {
        var progress = UploadProgress(bytes: 0, files: 2)
        progress.noteStored(0, bytes: 0)
        #expect(
            progress.text(atSeconds: 9, look: Look()).hasSuffix(" 50%  0 B of 0 B, 1 of 2 files"))
    }
}
