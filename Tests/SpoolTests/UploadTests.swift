import Files
import Model
import Support
import Synchronization
import Testing

@testable import Spool

/// Records of uploads in parts: they are there while their batches are held, and not a moment longer than a start.
@Suite struct UploadTests {
    private static let all = ConnectorName("all")!

    private func record(_ parts: Int, id: String = "u~/+=&") -> UploadRecord {
        var record = UploadRecord(
            bucket: "b", endpoint: "http://127.0.0.1:9000", key: "k \n\\ é", uploadID: id,
            partSize: 5 << 20, hasChecksums: true)
        for number in 0..<parts {
            record.parts[number + 1] = UploadRecord.Part(
                entityTag: "\"\(number) <&> \"", crc32: UInt32(number) &* 0x9E37_79B9)
        }
        return record
    }

    /// A spool with so many held batches.
    private func house(_ batches: Int = 1, seed: UInt64 = 1) throws -> SpoolHouse {
        let house = try SpoolHouse(seed: seed)
        for number in 0..<batches {
            house.take("\(number).jsonl", "{\"event_type\":\"a\",\"id\":\"\(number)\"}\n")
        }
        #expect(house.held.count == batches)
        return house
    }

    private func keep(_ record: UploadRecord, _ house: SpoolHouse) {
        house.spool?.keepUpload(record, of: house.held[0].id) { #expect($0 == nil) }
    }

    private func records(_ house: SpoolHouse) -> [String] {
        ["sealed", "expired"].flatMap { house.tree.names("\($0)/all") }
            .filter { $0.contains(".upload") }
    }

    @Test func `A record is read as it was written`() throws {
        for parts in [0, 1, 10_000] {
            let text = try CheckedText(record(parts).text.bytes, kind: "upload")
            #expect(try UploadRecord(text) == record(parts))
        }
    }

    @Test(arguments: [
        ("part", "0 1 \"a\""), ("part", "10001 1 \"a\""), ("part", "1 x \"a\""), ("part", "1 2"),
        ("checksums", "perhaps"), ("part-size", "0"), ("upload-id", ""),
    ])
    func `What cannot be is damage`(key: String, value: String) {
        var text = CheckedText(kind: "upload")
        for line in record(0).text.lines where line.key != key { text.add(line.key, line.value) }
        text.add(key, value)
        #expect(throws: CheckedText.Fault.self) { try UploadRecord(text) }
    }

    @Test func `Of several that wait the newest is kept, and all are told`() throws {
        let house = try house()
        let batch = house.held[0].id
        #expect(try UploadRecord.read(batch, house.files) == nil)
        let done = Mutex(0)
        for parts in 0..<5 {
            house.spool?.keepUpload(record(parts), of: batch) { failure in
                #expect(failure == nil)
                done.withLock { $0 += 1 }
            }
        }
        house.run()
        #expect(done.withLock { $0 } == 5)
        #expect(try UploadRecord.read(batch, house.files) == record(4))
        house.start()
        #expect(house.held.map(\.hasUpload) == [true])
        #expect(try UploadRecord.read(batch, house.files) == record(4))
        house.spool?.forgetUpload(batch)
        house.run()
        #expect(records(house).isEmpty)
    }

    @Test(arguments: [
        Settlement.Outcome.delivered, .dropped(perhapsDelivered: false),
        .archived(perhapsDelivered: true), .discarded(perhapsDelivered: true),
    ])
    func `It leaves with its batch, whenever that leaves`(outcome: Settlement.Outcome) throws {
        for seed in UInt64(0)..<20 {
            let house = try house(2, seed: seed)
            keep(record(1), house)
            if seed % 2 == 0 { house.run() }
            keep(record(2), house)
            // In whatever order the lanes get to it.
            house.settle(outcome)
            house.run()
            #expect(records(house).isEmpty, "seed \(seed)")
        }
    }

    @Test func `A record of a batch that is not held is not written`() throws {
        let house = try house()
        let batch = house.held[0].id
        house.settle(.delivered)
        house.spool?.keepUpload(record(1), of: batch) { #expect($0 == nil) }
        house.run()
        #expect(records(house).isEmpty)
    }

    @Test func `What a crash leaves without its envelope a start removes`() throws {
        let house = try house()
        keep(record(1), house)
        house.run()
        house.tree.write("sealed/all/0000000000000009-000000000000.upload", "x")
        house.tree.write("sealed/all/0000000000000001-000000000000.upload.new", "x")
        house.start()
        #expect(records(house).count == 1)
        #expect(house.held[0].hasUpload)
    }

    @Test func `A record that cannot be written is said to who waits, and does no harm`() throws {
        let house = try house()
        let disk = AlteredFileSystem(house.files)
        disk.full = [SpoolLayout.upload(house.held[0].id) + ".new"]
        house.files = disk
        house.start()
        let failures = Mutex(0)
        house.spool?.keepUpload(record(1), of: house.held[0].id) { failure in
            if failure?.isDiskFull == true { failures.withLock { $0 += 1 } }
        }
        house.run()
        #expect(failures.withLock { $0 } == 1)
        house.settle(.delivered)
        #expect(house.held.isEmpty)
    }

    @Test func `A check of the spool reads records, and says what follows from a damaged one`()
        throws
    {
        let house = try house()
        keep(record(3), house)
        house.run()
        #expect(try findings(house) == [])
        let path = SpoolLayout.upload(house.held[0].id)
        house.tree.write(path, "sluice upload 1\n")
        let found = try findings(house)
        #expect(found.map(\.path) == [path])
        #expect(found[0].meaning.contains("all parts of its object are sent again"))
    }

    private func findings(_ house: SpoolHouse) throws -> [SpoolFinding] {
        var findings: [SpoolFinding] = []
        let listener = SpoolCheckListener(found: { findings.append($0) }, progress: { _ in })
        _ = try SpoolCheck.run(house.files, listener) { _ throws(CheckedText.Fault) in }
        return findings
    }
}
