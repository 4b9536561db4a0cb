import Delivery
import Digest
import Model
import Testing

@testable import Daemon

@Suite struct ExportFatesTests {
    private let reports: ConnectorName

    init() throws {
        reports = try #require(ConnectorName("reports"))
    }

    private func object(_ key: String, _ name: String, _ bytes: String) -> ExportFates.Object {
        ExportFates.Object(
            key: key, name: name, size: UInt64(bytes.utf8.count),
            digest: ContentDigest(whole: SHA256.digest(of: bytes)))
    }

    private func question(_ key: String, _ name: String? = nil, _ bytes: String? = nil)
        -> ObjectQuestion
    {
        ObjectQuestion(
            connector: reports, key: key, name: name,
            digest: bytes.map { ContentDigest(whole: SHA256.digest(of: $0)) })
    }

    @Test
    func `An object is known by its key, and under another key by the name and digest of its file`()
    {
        var fates = ExportFates()
        let renamed = object("x/a-2.csv", "a.csv", "new")
        fates.noteStored(object("x/a.csv", "a.csv", "old"))
        fates.noteStored(renamed)
        #expect(fates.fate(question("x/a.csv", "a.csv", "new")) == .stored(renamed))
        #expect(
            fates.fate(question("x/a.csv", "a.csv", "old"))
                == .stored(object("x/a.csv", "a.csv", "old")))
        #expect(fates.fate(question("x/a.csv")) == .stored(object("x/a.csv", "a.csv", "old")))
        #expect(fates.fate(question("x/a.csv", "a.csv", "other")) == nil)
        #expect(fates.fate(question("x/b.csv", "a.csv")) == nil)
    }

    @Test func `What is at fault is told until it is tried again, or there`() {
        var fates = ExportFates()
        let file = object("a.csv", "a.csv", "mine")
        fates.noteFault(file, because: "taken")
        #expect(fates.fate(question("a.csv", "a.csv", "mine")) == .atFault(file, "taken"))
        #expect(fates.fate(question("a.csv", "a.csv", "other")) == nil)
        fates.forgetFaults()
        #expect(fates.fate(question("a.csv", "a.csv", "mine")) == nil)
        fates.noteFault(file, because: "taken")
        fates.noteStored(file)
        fates.forgetFaults()
        #expect(fates.fate(question("a.csv")) == .stored(file))
    }

    @Test func `A refusal from before the question does not count`() {
        var fates = ExportFates()
        fates.noteQuarantined("a.csv", because: "why", at: Timestamp(unixSeconds: 10))
        var asked = question("a.csv", "a.csv", "mine")
        #expect(fates.fate(asked) == .quarantined("why"))
        asked.since = Timestamp(unixSeconds: 10)
        #expect(fates.fate(asked) == .quarantined("why"))
        asked.since = Timestamp(unixSeconds: 11)
        #expect(fates.fate(asked) == nil)
    }

    @Test func `The last thousand are remembered, and no more than a few more`() {
        var fates = ExportFates()
        for number in 0..<3000 { fates.noteStored(object("\(number)", "\(number)", "\(number)")) }
        let known = (0..<3000).count { fates.fate(question("\($0)")) != nil }
        #expect((ExportFates.most...ExportFates.most * 5 / 4).contains(known))
        #expect(fates.fate(question("2000")) != nil)
    }
}

@Suite struct ObjectLookupsTests {
    @Test func `S3 is asked once for all who wait, and again only a second later`() {
        let lookups = ObjectLookups()
        var (asked, told): (Int, [ObjectReport]) = (0, [])
        var answer: ((ObjectReport) -> Void)?
        let start = Instant(nanoseconds: 0)
        func ask(_ after: Duration) {
            lookups.ask("k", at: start + after, { told.append($0) }) { done in
                asked += 1
                answer = done
            }
        }
        ask(.zero)
        ask(.seconds(5))
        #expect(asked == 1 && told.isEmpty)
        answer?(.absent)
        #expect(told == [.absent, .absent])
        ask(.milliseconds(999))
        #expect(asked == 1 && told.count == 3)
        ask(.seconds(1))
        #expect(asked == 2 && told.count == 3)
        answer?(.found(size: 3, digest: nil))
        #expect(told.last == .found(size: 3, digest: nil))
    }
}
