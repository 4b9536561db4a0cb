import Batching
import Model
import Support
import Testing

@testable import Spool

/// Looking only where something was heard of, since there may be a thousand directories.
@Suite struct HeardTests {
    private let house: SpoolHouse
    private let disk: AlteredFileSystem

    /// A spool that hears of what comes, and has found its directories empty.
    init() throws {
        house = try SpoolHouse(["one", "other"].map(Self.plain))
        disk = AlteredFileSystem(house.files)
        house.files = disk
        house.start()
        hear([])
    }

    private static func plain(_ name: String) -> Routing.Connector {
        connector(name) { $0.format = .jsonl(.none) }
    }

    private func event(_ id: String) -> String { "{\"event_type\":\"a\",\"id\":\"\(id)\"}\n" }

    private func drop(_ name: String, _ id: String) {
        house.tree.write("incoming/\(name)", event(id))
    }

    /// Tells where something came, and seals what is found.
    private func hear(_ directories: Set<String>) {
        disk.listed = []
        house.spool?.scan(heard: directories)
        house.run()
        house.flush()
    }

    @Test func `A look at what was heard of leaves directories alone that were empty`() {
        drop("one/a.jsonl", "1")
        drop("other/b.jsonl", "2")
        hear(["incoming/one"])
        #expect(disk.listed.isSuperset(of: ["incoming", "incoming/one"]))
        #expect(!disk.listed.contains("incoming/other"))
        #expect(house.sealed("one") == event("1"))
        #expect(house.sealed("other") == "")
    }

    @Test(arguments: ["a scan", "a thorough scan", "a drain"])
    func `Who asks without having heard of anything has all directories looked into`(who: String) {
        drop("other/b.jsonl", "2")
        switch who {
        case "a scan": house.spool?.scan()
        case "a thorough scan": house.spool?.scanThoroughly()
        default: house.spool?.look {}
        }
        house.run()
        house.flush()
        #expect(house.sealed("other") == event("2"))
    }

    @Test func `A directory in which something was found is looked into until it is empty`() {
        drop("one/a.jsonl", "1")
        hear(["incoming/one"])
        // It came while the first was being claimed, and what is heard of it is still on its way.
        drop("one/b.jsonl", "2")
        hear([])
        #expect(house.sealed("one") == event("1") + event("2"))
        hear([])
        #expect(disk.listed.contains("incoming/one"))
        hear([])
        #expect(!disk.listed.contains("incoming/one"))
    }

    @Test func `What came while its connector's files had to wait is found when they need not`() {
        drop("one/a.jsonl", "1")
        hear(["incoming/one"])
        house.govern(maxHeld: ["one": 1])
        drop("one/b.jsonl", "2")
        hear(["incoming/one"])
        #expect(house.sealed("one") == event("1"))
        // Nothing more is heard of it.
        house.govern()
        hear([])
        #expect(house.sealed("one") == event("1") + event("2"))
    }

    @Test func `After a failure all directories are looked into`() {
        drop("one/a.jsonl", "1")
        disk.unsynced = ("sealed/one", { drop("other/b.jsonl", "2") })
        hear(["incoming/one"])
        #expect(!house.failures.isEmpty)
        house.spool?.open()
        house.run()
        house.flush()
        #expect(house.sealed("one") == event("1"))
        #expect(house.sealed("other") == event("2"))
    }
}
