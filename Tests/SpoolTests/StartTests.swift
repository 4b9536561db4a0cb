import Batching
import Files
import Glibc
import Model
import Support
import Testing

@testable import Spool

/// What a start makes of what it finds, and how another routing comes into effect.
@Suite struct StartTests {
    private func event(_ type: String, _ id: String) -> String {
        "{\"event_type\":\"\(type)\",\"id\":\"\(id)\"}\n"
    }

    // MARK: The tree

    @Test func `A new spool has its directories, with their rights, and says whose it is`() throws {
        let tree = TemporaryTree()
        let files = try RealFileSystem(root: tree.path)
        let identity = try SpoolTree.prepare(files, host: "web 1.example.com").identity
        #expect(identity == SpoolTree.Identity(zone: "web-1.example.com", partition: 0))
        #expect(
            tree.names() == [
                "active", "ballast", "connectors", "expired", "format", "identity", "incoming",
                "place", "quarantine", "sealed",
            ])
        #expect(tree.text("format")?.hasPrefix("sluice spool 1\nlayout: 4\nchecksum: ") == true)
        // The name it was made with stays.
        #expect(try SpoolTree.prepare(files, host: "other").identity == identity)
    }

    @Test(arguments: ["active", "sealed", "expired", "quarantine", "connectors", "incoming"])
    func `A link or a file in the place of a directory is refused`(name: String) throws {
        for isLink in [true, false] {
            let tree = TemporaryTree()
            tree.makeDirectory("elsewhere")
            if isLink { symlink("elsewhere", tree.at(name)) } else { tree.write(name, "") }
            let files = try RealFileSystem(root: tree.path)
            let what = isLink ? "a symbolic link" : "a regular file"
            #expect(
                throws: SpoolFailure.foreign(
                    path: name, reason: "is \(what) in the place of a directory; move it away")
            ) { try SpoolTree.prepare(files, host: "host") }
            #expect(tree.names("elsewhere") == [])
        }
    }

    @Test func `A directory that others could change is closed, and said`() throws {
        let tree = TemporaryTree()
        let files = try RealFileSystem(root: tree.path)
        _ = try SpoolTree.prepare(files, host: "host") {
            Issue.record("a new spool was open: \($0)")
        }
        for name in ["active", "incoming", "."] { chmod(tree.at(name), 0o777) }
        var said: [String] = []
        _ = try SpoolTree.prepare(files, host: "host") { said.append($0) }
        func line(_ name: String, _ mode: String) -> String {
            "\(name) in the spool could be changed by other users (mode 0777); it has mode "
                + "\(mode) from now on"
        }
        #expect(said == [line(".", "0755"), line("incoming", "1777"), line("active", "0755")])
        said = []
        _ = try SpoolTree.prepare(files, host: "host") { said.append($0) }
        #expect(said == [])
    }

    @Test(arguments: [(5, 1, 5), (2, 2, 2)])
    func `A spool of a newer version is refused, untouched`(layout: Int, version: Int, said: Int)
        throws
    {
        let tree = TemporaryTree()
        var text = CheckedText(kind: "spool", version: version)
        text.add("layout", layout)
        tree.write("format", text.bytes)
        let files = try RealFileSystem(root: tree.path)
        #expect(throws: SpoolFailure.newer(path: "format", version: said)) {
            try SpoolTree.prepare(files, host: "host")
        }
        #expect(tree.names() == ["format"])
        #expect(
            SpoolFailure.newer(path: "format", version: 2).description
                == "format in the spool has version 2, which only a newer sluiced can read")
    }

    @Test func `A spool of an older layout is taken, and marked so that older programs leave it`()
        throws
    {
        let tree = TemporaryTree()
        var text = CheckedText(kind: "spool")
        text.add("layout", 1)
        tree.write("format", text.bytes)
        _ = try SpoolTree.prepare(try RealFileSystem(root: tree.path), host: "host")
        #expect(tree.text("format")?.hasPrefix("sluice spool 1\nlayout: 4\n") == true)
    }

    @Test(arguments: ["format", "identity"])
    func `A damaged state file of the tree is named`(name: String) throws {
        let tree = TemporaryTree()
        let files = try RealFileSystem(root: tree.path)
        _ = try SpoolTree.prepare(files, host: "host")
        tree.write(name, "x")
        let failure = #expect(throws: SpoolFailure.self) {
            try SpoolTree.prepare(files, host: "host")
        }
        guard case .damaged(name, _) = failure else {
            Issue.record("\(String(describing: failure))", severity: .error)
            return
        }
    }

    @Test(arguments: ["sequence", "routing"])
    func `A damaged state file stops intake with a word on what to do`(name: String) throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1"))
        house.tree.write(name, "x")
        house.start()
        let path = "\(name) in the spool is damaged"
        #expect(house.failures.map(\.description).first?.hasPrefix(path) == true)
        house.take("f.jsonl", event("a", "2"))
        #expect(house.sealed() == event("a", "1"))
        #expect(house.tree.names("incoming") == ["all", "f.jsonl"])
    }

    @Test func `Lost offsets start again at the time, above all that was used`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1"))
        house.tree.write("connectors/all.offsets", "x")
        house.now += 1
        house.start()
        house.take("f.jsonl", event("a", "2"))
        #expect(
            house.reports.contains {
                if case .damaged("connectors/all.offsets", _) = $0 { true } else { false }
            })
        let offsets = house.envelopes("all").map(\.offset)
        #expect(offsets == [UInt64(house.now - 1) * 1_000_000, UInt64(house.now) * 1_000_000])
    }

    @Test func `Offsets of types without end stay few, and none comes twice`() throws {
        let tree = TemporaryTree()
        tree.makeDirectory("connectors")
        let files = try RealFileSystem(root: tree.path)
        let name = try #require(ConnectorName("all"))
        var now: UInt64 = 1_795_370_000_000_000
        var offsets = try Offsets(name, microseconds: now, files)
        var highest: UInt64 = 0
        for round in 0..<5 {
            let counts = Dictionary(
                uniqueKeysWithValues: (0..<Limits.offsetTypes / 2).map { ("\(round).\($0)", 3) }
                    + [("each.time", 2)])
            try offsets.reserve(counts, microseconds: now, files)
            let given = offsets.take("each.time", 2)
            #expect(given >= highest)
            highest = given + 2
            #expect(offsets.take("\(round).1", 3) > 0)
            // What was read back goes on above what is reserved.
            offsets = try Offsets(name, microseconds: now, files)
            now += 1_000_000
        }
        let text = try #require(tree.text("connectors/all.offsets"))
        #expect(text.split(separator: "\n").count <= Limits.offsetTypes + 3)
    }

    // MARK: Envelopes

    /// A spool with a sealed batch, its envelope damaged.
    private func damaged(activeToo: Bool) throws -> (SpoolHouse, path: String) {
        let house = try SpoolHouse([connector("all") { $0.batch.maxEvents = 2 }])
        let rest = activeToo ? event("b", "3") : ""
        house.tree.write("incoming/e.jsonl", event("a", "1") + event("a", "2") + rest)
        house.scan()
        let name = try #require(house.tree.names("sealed/all").first)
        let path = "sealed/all/\(name)"
        #expect(name.hasSuffix(".envelope"))
        var bytes = try #require(house.tree.contents(path))
        bytes[bytes.count / 2] ^= 1
        #expect(Glibc.unlink(house.tree.at(path)) == 0)
        house.tree.write(path, bytes)
        house.start()
        return (house, path)
    }

    @Test func `A damaged envelope stops intake while events it may cover wait to be read again`()
        throws
    {
        let (house, path) = try damaged(activeToo: true)
        let failure = SpoolFailure.damaged(path: path, reason: "its checksum is wrong")
        #expect(house.failures == [failure])
        #expect(house.reports.contains { if case .damaged(path, _) = $0 { true } else { false } })
        #expect(failure.description.contains("restore it from a backup, or move it away"))
        house.take("f.jsonl", event("a", "4"))
        #expect(house.tree.names("incoming") == ["all", "f.jsonl"])
        #expect(house.tree.names("active").count == 1)
        // Its object is kept too: somebody may mend it.
        #expect(house.tree.names("sealed/all").count == 2)
    }

    @Test func `A damaged envelope alone is reported, kept, and holds nothing up`() throws {
        let (house, path) = try damaged(activeToo: false)
        #expect(house.failures == [])
        #expect(house.reports.contains { if case .damaged(path, _) = $0 { true } else { false } })
        let kept = house.tree.names("sealed/all")
        house.tree.write("incoming/f.jsonl", event("b", "4"))
        house.scan()
        house.flush()
        #expect(house.tree.names("sealed/all").count == 4)
        #expect(Set(house.tree.names("sealed/all")).isSuperset(of: kept))
        #expect(house.tree.names("active") == [])
    }

    @Test func `A batch whose object is gone is held and marked`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1"))
        let object = try #require(house.envelopes("all").first?.objectPath)
        #expect(Glibc.unlink(house.tree.at(object)) == 0)
        house.start()
        #expect(house.contents?.held.map(\.isObjectMissing) == [true])
    }

    @Test func `What is half-written is cleared away, and what is not ours is named`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1"))
        let kept = house.tree.names("sealed/all")
        house.tree.write("sealed/all/0000000000000009-000000000000.object", "x")
        house.tree.write("sealed/all/0000000000000009-000000000000.envelope.new", "x")
        house.tree.write("quarantine/.0000000000000009.rejects", "x")
        house.tree.write("active/stranger", "x")
        house.start()
        #expect(house.tree.names("sealed/all") == kept)
        #expect(house.tree.names("quarantine") == [])
        #expect(house.tree.names("active") == ["stranger"])
        let damaged = house.reports.compactMap { report -> String? in
            if case .damaged(let path, let reason) = report { "\(path): \(reason)" } else { nil }
        }
        #expect(damaged == ["active/stranger: sluiced gave no file such a name"])
    }

    // MARK: Numbers

    @Test func `A number is never given twice, whatever is left in the spool`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", event("a", "1"))
        #expect(house.envelopes("all").map(\.batch.first.file) == [1])
        house.start()
        house.take("f.jsonl", event("a", "2"))
        #expect(house.envelopes("all").map(\.batch.first.file) == [1, 1 + Limits.sequenceBlock])
        // Without its mark, it goes on above every number in the spool.
        #expect(Glibc.unlink(house.tree.at("sequence")) == 0)
        house.tree.write("quarantine/0000000000fffff0-x.txt", "x")
        house.start()
        house.take("g.jsonl", event("a", "3"))
        #expect(house.envelopes("all").map(\.batch.first.file).last == 0xfffff1)
    }

    @Test(arguments: ["quarantine/ffffffffffffffff-x.txt", "active/.claiming-ffffffffffffffff._.x"])
    func `A number from which none can be counted on stops intake, with a word on it`(name: String)
        throws
    {
        let house = try SpoolHouse()
        house.tree.write(name, "x")
        house.start()
        #expect(
            house.failures.first?.description.hasPrefix(
                "sequence in the spool is damaged (it, or a file's name, has the number "
                    + "ffffffffffffffff, which nobody gave)") == true)
    }

    // MARK: The routing

    private let old = SpoolHouse.routing([connector("a", ["x"]), connector("b", ["y"])])
    private let new = SpoolHouse.routing([connector("b", ["x"]), connector("c", ["y"])])

    /// All ids sealed, by connector.
    private func ids(_ house: SpoolHouse) -> [String] {
        ["a", "b", "c"].flatMap { name in
            house.sealed(name).split(separator: "\n").map { line in
                name + " " + (line.split(separator: "\"id\":\"").last?.prefix { $0 != "\"" } ?? "")
            }
        }.sorted()
    }

    @Test func `Another routing waits until everything claimed before is sealed under the old one`()
        throws
    {
        let house = try SpoolHouse(old.connectors)
        house.tree.write("incoming/1.jsonl", event("x", "1") + event("y", "2"))
        house.scan()
        #expect(ids(house) == [])
        house.tree.write("incoming/2.jsonl", event("x", "3") + event("y", "4"))
        house.spool?.change(to: new)
        house.run()
        #expect(house.reports.contains { if case .routingChanged = $0 { true } else { false } })
        house.scan()
        house.flush()
        #expect(ids(house) == ["a 1", "b 2", "b 3", "c 4"])
        #expect(house.tree.names("incoming") == ["a", "b", "c"])
        #expect(house.tree.names("active") == [])
        #expect(house.activity.isEmpty)
    }

    @Test func `A start with another routing reads what was claimed under the old one`() throws {
        let house = try SpoolHouse(old.connectors)
        house.tree.write("incoming/1.jsonl", event("x", "1") + event("y", "2"))
        house.scan()
        house.tree.write("incoming/2.jsonl", event("x", "3") + event("y", "4"))
        house.routing = new
        house.start()
        house.flush()
        #expect(ids(house) == ["a 1", "b 2", "b 3", "c 4"])
        // Once more, with nothing claimed: it is in effect at once.
        house.routing = old
        house.start()
        house.take("3.jsonl", event("x", "5"))
        #expect(ids(house).contains("a 5"))
    }

    @Test func `A file in the directory of a connector that is gone stays there`() throws {
        let house = try SpoolHouse(old.connectors)
        house.routing = new
        house.start()
        house.take("a/e.jsonl", event("x", "1"))
        #expect(ids(house) == [])
        #expect(house.tree.names("incoming/a") == ["e.jsonl"])
        house.spool?.change(to: old)
        house.run()
        house.flush()
        #expect(ids(house) == ["a 1"])
    }
}
