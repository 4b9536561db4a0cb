import Files
import Glibc
import Support
import Testing

@testable import Model
@testable import Spool

/// What `sluicectl fsck` finds in a spool, sound or damaged.
@Suite struct SpoolCheckTests {
    private static let all = ConnectorName("all")!

    /// A spool with something in every place: held, delivered, dropped and archived batches, a claimed file, refused
    /// lines, a file kept whole, one that waits and one that is left alone.
    private func furnished() throws -> SpoolHouse {
        let house = try SpoolHouse()
        for (name, outcome): (String, Settlement.Outcome) in [
            ("delivered", .delivered), ("dropped", .dropped(perhapsDelivered: false)),
            ("archived", .archived(perhapsDelivered: true)),
        ] {
            house.take("\(name).jsonl", "{\"event_type\":\"a\",\"id\":\"\(name)\"}\n")
            house.settle(outcome)
        }
        house.take("held.jsonl", "{\"event_type\":\"a\",\"id\":\"held\"}\n{\"event_type\":7}\n")
        house.take("whole.txt", "no events\n")
        house.tree.write("incoming/open.jsonl", "{\"event_type\":\"a\",\"id\":\"open\"}\n")
        house.scan()
        house.tree.write("incoming/waits.jsonl", "{\"event_type\":\"a\",\"id\":\"waits\"}\n")
        house.tree.write("incoming/.hidden", "")
        #expect(house.tree.names("active").count == 1)
        #expect(house.tree.names("quarantine").count == 3)
        return house
    }

    private func check(
        _ house: SpoolHouse, _ files: (any FileSystem)? = nil
    ) throws -> (findings: [SpoolFinding], census: SpoolCensus) {
        var findings: [SpoolFinding] = []
        let listener = SpoolCheckListener(found: { findings.append($0) }, progress: { _ in })
        let census = try SpoolCheck.run(files ?? house.files, listener) {
            (text) throws(CheckedText.Fault) in
            if try text.value("clock") != "1" { throw .damaged("the clock is broken") }
        }
        return (findings, census)
    }

    @Test func `In a sound spool nothing is found, and everything is counted`() throws {
        let house = try furnished()
        let (findings, census) = try check(house)
        #expect(findings == [])
        #expect(census.held.files == 1 && census.heldEvents == 1)
        #expect(census.archived.files == 1 && census.archivedEvents == 1)
        #expect(census.claimed.files == 1 && census.dropped.files == 1)
        #expect(census.unfinished.files == 1)
        #expect(census.quarantined.files == 2)
        let tombstones = house.tree.names("sealed/all").filter {
            $0.hasSuffix(".delivered") || $0.hasSuffix(".dropped")
        }
        #expect(census.tombstones == tombstones.count)
        // Of the file that is read and not sealed yet.
        #expect(census.unsealed.files <= 1)
        #expect(census.identity == .init(zone: "host", partition: 0))
        #expect(census.version == SpoolLayout.version)
        #expect(census.connectors == [Self.all])
    }

    @Test func `A spool that is looked at is as it was before`() throws {
        let house = try furnished()
        let before = try listing(house)
        _ = try check(house)
        #expect(try listing(house) == before)
    }

    private func listing(_ house: SpoolHouse) throws -> [String] {
        var lines: [String] = []
        func add(_ directory: String) throws {
            for name in house.tree.names(directory) {
                let path = "\(directory)/\(name)"
                let status = try #require(try house.files.status(path))
                lines.append("\(path) \(status)")
                if status.kind == .directory { try add(path) }
            }
        }
        try add(".")
        return lines
    }

    @Test func `An empty directory is no spool, and a new spool is sound`() throws {
        let tree = TemporaryTree()
        #expect(try !SpoolCheck.isSpool(RealFileSystem(root: tree.path)))
        let house = try SpoolHouse()
        #expect(try SpoolCheck.isSpool(house.files))
        #expect(try check(house).findings == [])
    }

    // MARK: Damage

    /// What is done to a furnished spool, where that is found, and what is said of it.
    struct Damage: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var fault: String
        var path: String
        var harm: @Sendable (TemporaryTree, _ held: String, _ archived: String) -> Void

        init(
            _ description: String, _ path: String, _ fault: String,
            _ harm: @escaping @Sendable (TemporaryTree, String, String) -> Void
        ) {
            (testDescription, self.path, self.fault, self.harm) = (description, path, fault, harm)
        }
    }

    private static let damages: [Damage] = [
        Damage("a bit of an object", "HELD.object", "its SHA-256 is not") { tree, held, _ in
            flip(tree, held + ".object", at: 15)
        },
        Damage("a cut object", "HELD.object", "it has 20 bytes, and its envelope says") {
            tree, held, _ in truncate(tree.at(held + ".object"), 20)
        },
        Damage("a missing object", "HELD.envelope", "its object is missing") { tree, held, _ in
            unlink(tree.at(held + ".object"))
        },
        Damage("a bit of an archived object", "ARCHIVED.object", "its SHA-256 is not") {
            tree, _, archived in flip(tree, archived + ".object", at: 15)
        },
        Damage("a bit of an envelope", "HELD.envelope", "its checksum is wrong") { tree, held, _ in
            flip(tree, held + ".envelope", at: 40)
        },
        Damage("another's envelope", "HELD.envelope", "it is the envelope of another batch") {
            tree, held, _ in change(tree, held + ".envelope", "first-offset: 0", "first-offset: 1")
        },
        Damage("a key of others", "HELD.envelope", "its key is not that of its events") {
            tree, held, _ in change(tree, held + ".envelope", "/event_type=a/", "/event_type=b/")
        },
        Damage("a newer envelope", "HELD.envelope", "it has version 9") { tree, held, _ in
            change(tree, held + ".envelope", "sluice envelope 1", "sluice envelope 9")
        },
        Damage("a link in the place of an object", "HELD.object", "it is a symbolic link") {
            tree, held, _ in
            unlink(tree.at(held + ".object"))
            symlink("/etc/hostname", tree.at(held + ".object"))
        },
        Damage("old offsets", "connectors/all.offsets", "the offsets of sealed/all/") {
            tree, _, _ in
            change(tree, "connectors/all.offsets", "reserved a: ", "reserved b: ")
            change(tree, "connectors/all.offsets", "start: ", "start: 1\nwas: ")
        },
        Damage("damaged offsets", "connectors/all.offsets", "its checksum is wrong") { tree, _, _ in
            flip(tree, "connectors/all.offsets", at: 25)
        },
        Damage("a newer layout", "format", "it has version 99") { tree, _, _ in
            change(tree, "format", "layout: \(SpoolLayout.version)", "layout: 99")
        },
        Damage("no identity", "identity", "its checksum is wrong") { tree, _, _ in
            flip(tree, "identity", at: 20)
        },
        Damage("a sequence that nobody gave", "sequence", "reserved is no number") {
            tree, _, _ in
            change(tree, "sequence", "reserved: ", "reserved: 9000000000000000000000\nwas: ")
        },
        Damage("torn totals", "totals", "it does not end with a whole line") { tree, _, _ in
            truncate(tree.at("totals"), 30)
        },
        Damage("a routing of no sense", "routing", "unmatched is unknown") { tree, _, _ in
            change(tree, "routing", "unmatched: quarantine", "unmatched: maybe")
        },
        Damage("episodes of no sense", "episodes", "the clock is broken") { tree, _, _ in
            var text = CheckedText(kind: "episodes")
            text.add("clock", 2)
            tree.write("episodes", text.bytes)
        },
        Damage("schemas of no sense", "schemas", "a line is no fingerprint") { tree, _, _ in
            var text = CheckedText(kind: "schemas")
            text.add("clock", 2)
            tree.write("schemas", text.bytes)
        },
        Damage("a copied spool", "place", "the spool was copied from another place") { tree, _, _ in
            change(tree, "place", "inode: ", "inode: 1\nwas: ")
            change(tree, "place", "born: ", "born: 1\nwas: ")
        },
        Damage("a spool that was restored", "restored", "somebody says that this spool was") {
            tree, _, _ in tree.write("restored", "")
        },
        Damage("a file of somebody's", "notes.txt", "sluiced gave no file this name") {
            tree, _, _ in
            tree.write("notes.txt", "")
        },
        Damage("a file of somebody's in sealed", "sealed/all/x", "sluiced gave no file this") {
            tree, _, _ in tree.write("sealed/all/x", "")
        },
        Damage("a file of somebody's in active", "active/x", "sluiced gave no file this name") {
            tree, _, _ in tree.write("active/x", "")
        },
        Damage("a file of somebody's in quarantine", "quarantine/x", "sluiced gave no file") {
            tree, _, _ in tree.write("quarantine/x", "")
        },
        Damage("a directory in incoming", "incoming/My Files", "it is a directory that sluiced") {
            tree, _, _ in tree.makeDirectory("incoming/My Files")
        },
        Damage("a FIFO in incoming", "incoming/f.jsonl", "it is a FIFO") { tree, _, _ in
            mkfifo(tree.at("incoming/f.jsonl"), 0o600)
        },
        Damage("a claimed file that was cut", "CLAIMED", "it has 5 bytes, and had ") {
            tree, _, _ in
            truncate(tree.at("active/\(tree.names("active")[0])"), 5)
        },
        Damage("a directory that others may change", "sealed", "other users can change what lies") {
            tree, _, _ in chmod(tree.at("sealed"), 0o777)
        },
        Damage("a directory that others may read", "quarantine", "other users can look into it") {
            tree, _, _ in chmod(tree.at("quarantine"), 0o755)
        },
        Damage("a directory that is gone", "ballast", "it is missing") { tree, _, _ in
            for name in tree.names("ballast") { unlink(tree.at("ballast/\(name)")) }
            rmdir(tree.at("ballast"))
        },
        Damage("a reason of no sense", "REASON", "it has no checksum") { tree, _, _ in
            let name = tree.names("quarantine").first { $0.hasSuffix(".reason") } ?? ""
            tree.write("quarantine/\(name)", Array("garbage\n".utf8))
        },
    ]

    @Test(arguments: damages)
    func `Damage is found where it is, and nothing else is`(damage: Damage) throws {
        let house = try furnished()
        let tree = house.tree
        let held = try #require(tree.names("sealed/all").first { $0.hasSuffix(".envelope") })
        let archived = try #require(tree.names("expired/all").first { $0.hasSuffix(".object") })
        let claimed = "active/\(tree.names("active")[0])"
        let reason = tree.names("quarantine").first { $0.hasSuffix(".reason") } ?? ""
        let stems = [
            ("HELD", "sealed/all/\(held.dropLast(".envelope".count))"),
            ("ARCHIVED", "expired/all/\(archived.dropLast(".object".count))"),
            ("CLAIMED", claimed), ("REASON", "quarantine/\(reason)"),
        ]
        damage.harm(tree, stems[0].1, stems[1].1)
        func named(_ text: String) -> String {
            stems.reduce(text) { $0.replacing($1.0, with: $1.1) }
        }
        let findings = try check(house).findings
        #expect(findings.map(\.path) == [named(damage.path)], "\(findings)")
        let finding = try #require(findings.first)
        #expect(finding.fault.hasPrefix(named(damage.fault)), "\(finding.fault)")
        #expect(!finding.meaning.isEmpty && !finding.remedy.isEmpty)
    }

    @Test func `What a crash leaves and a start removes is counted, and is no fault`() throws {
        let house = try furnished()
        let position = Position(file: 0x99, offset: 0)
        let id = BatchID(connector: Self.all, first: position)
        let before = try check(house).census
        house.tree.write(SpoolLayout.object(id), [1, 2, 3])
        house.tree.write(SpoolLayout.archivedObject(id), [1, 2, 3])
        house.tree.write(SpoolLayout.uncertain(id), "")
        house.tree.write(SpoolLayout.envelope(id) + ".new", "half")
        house.tree.write("totals.new", "half")
        house.tree.write("quarantine/.0000000000000007.rejects", "half")
        let (findings, census) = try check(house)
        #expect(findings == [])
        #expect(census.unsealed.files == before.unsealed.files + 2)
        #expect(census.halfWritten == 3)
        // An archived batch whose object did not follow yet.
        let object = try #require(
            house.tree.names("expired/all").first {
                $0.hasSuffix(".object") && !$0.hasPrefix(id.name)
            })
        rename(house.tree.at("expired/all/\(object)"), house.tree.at("sealed/all/\(object)"))
        #expect(try check(house).findings == [])
    }

    @Test func `What is delivered while it is looked at is no fault`() throws {
        let house = try furnished()
        let envelope = try #require(house.envelopes("all").first)
        let files = AlteredFileSystem(house.files)
        let path = SpoolLayout.envelope(envelope.batch)
        files.whenRead = { if $0 == path { house.settle(.delivered) } }
        let (findings, census) = try check(house, files)
        #expect(findings == [])
        #expect(census.held.files <= 1)
    }

    @Test func `Whoever may not read the spool is told, and not that it is damaged`() throws {
        let house = try furnished()
        let files = AlteredFileSystem(house.files)
        let envelope = try #require(house.envelopes("all").first)
        files.unreadable = [SpoolLayout.envelope(envelope.batch)]
        #expect(throws: FileError.self) { try check(house, files) }
    }
}

private func flip(_ tree: TemporaryTree, _ path: String, at offset: Int) {
    var bytes = tree.contents(path) ?? []
    bytes[offset] ^= 1
    // In its place: another file would be another inode.
    let descriptor = open(tree.at(path), O_WRONLY)
    precondition(pwrite(descriptor, bytes, bytes.count, 0) == bytes.count)
    close(descriptor)
}

/// Changes the text of a small file, and makes its checksum right again.
private func change(_ tree: TemporaryTree, _ path: String, _ old: String, _ new: String) {
    var lines = (tree.text(path) ?? "").replacing(old, with: new)
        .split(separator: "\n", omittingEmptySubsequences: true)
    lines.removeLast()
    let text = lines.joined(separator: "\n") + "\n"
    unlink(tree.at(path))
    tree.write(path, text + "checksum: \(CheckedText.checksum(text.utf8))\n")
}
