import Files
import Model
import Support
import Testing

@testable import Spool

/// A spool that was copied or restored is told from the one that was worked on.
@Suite struct PlaceTests {
    private let event = "{\"event_type\":\"a\",\"id\":\"1\"}\n"

    /// A copy has other files with the same bytes, as `cp` and `tar` make them.
    private func copyIdentity(_ house: SpoolHouse) throws {
        let bytes = try #require(house.tree.contents("identity"))
        house.tree.write("identity.copy", bytes)
        try house.files.rename("identity.copy", to: "identity")
    }

    private func failure(_ house: SpoolHouse) -> SpoolFailure? {
        do throws(SpoolFailure) {
            _ = try SpoolTree.prepare(house.files, host: "host")
            return nil
        } catch {
            return error
        }
    }

    @Test
    func `A spool that stayed where it is goes on, and so does one from before places were kept`()
        throws
    {
        let house = try SpoolHouse()
        #expect(failure(house) == nil)
        try copyIdentity(house)
        try house.files.remove("place")
        #expect(failure(house) == nil)
        #expect(house.tree.contents("place") != nil)
        try copyIdentity(house)
        #expect(failure(house) == .copied)
    }

    @Test func `A copy is refused until somebody says what it is, and nothing in it changes`()
        throws
    {
        let house = try SpoolHouse()
        house.tree.write("incoming/1.jsonl", Array(event.utf8))
        try copyIdentity(house)
        #expect(failure(house) == .copied)
        #expect(failure(house) == .copied)
        #expect(house.tree.names("incoming").contains("1.jsonl"))

        house.tree.write("moved", [])
        #expect(failure(house) == nil)
        #expect(house.tree.contents("moved") == nil)
        #expect(failure(house) == nil)
        house.start()
        house.flush()
        #expect(house.sealed() == event)
    }

    @Test func `Of a restored spool what had no key is set aside, and what had one is delivered`()
        throws
    {
        let house = try SpoolHouse([connector("all") { $0.format = .jsonl(.none) }])
        house.take("sealed.jsonl", event)
        house.tree.write("incoming/claimed.jsonl", Array(event.utf8))
        house.scan()
        house.tree.write("incoming/dropped.jsonl", Array(event.utf8))
        house.tree.write("incoming/all/dropped.jsonl", Array(event.utf8))
        let first = try #require(house.envelopes("all").first)
        try copyIdentity(house)
        house.tree.write("restored", [])
        let prepared = try SpoolTree.prepare(house.files, host: "host")
        #expect(prepared.setAside == 3)
        #expect(house.tree.contents("restored") == nil)
        #expect(house.tree.names("active") == [])
        #expect(house.tree.names("quarantine").filter { $0.hasSuffix(".jsonl") }.count == 3)

        house.now += 3600
        house.start()
        #expect(house.envelopes("all") == [first])
        // Offsets that were used since the backup are not known: they begin anew, above all of them.
        house.take("new.jsonl", event)
        let offsets = house.envelopes("all").map(\.offset)
        #expect(offsets.count == 2)
        #expect(offsets[1] == UInt64(house.now) * 1_000_000)
    }

    @Test func `A crash while a restored spool is prepared sets aside the rest at the next start`()
        throws
    {
        let house = try SpoolHouse()
        for number in 1...3 { house.tree.write("incoming/\(number).jsonl", Array(event.utf8)) }
        house.tree.write("restored", [])
        let disk = AlteredFileSystem(house.files)
        disk.full = ["quarantine/0000000000000003.reason"]
        house.files = disk
        #expect(failure(house) != nil)
        #expect(house.tree.contents("restored") != nil)
        disk.full = []
        #expect(failure(house) == nil)
        #expect(house.tree.names("quarantine").filter { $0.hasSuffix(".jsonl") }.count == 3)
        #expect(house.tree.contents("restored") == nil)
    }

    @Test(arguments: [
        "active", "incoming", "incoming/all", "sealed", "sealed/all", "quarantine", "connectors",
    ])
    func `A part of the spool on another file system is refused by name`(directory: String) throws {
        let house = try SpoolHouse()
        let disk = AlteredFileSystem(house.files)
        disk.mounted = [directory]
        house.files = disk
        #expect(failure(house) == .elsewhere(path: directory))
    }
}
