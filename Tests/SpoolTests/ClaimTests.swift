import Files
import Glibc
import Model
import Support
import Testing

@testable import Spool

/// What is taken from `incoming/`, what is set aside, and what is left.
@Suite struct ClaimTests {
    private static let event = "{\"event_type\":\"a\"}\n"

    @Test(arguments: [
        "e.jsonl", "e.ndjson", "e.json", ".jsonl.jsonl", "two words.json", "%.json", "ä日本🚀.jsonl",
        "a\nb.jsonl", "\"quoted\\.json", String(repeating: "x", count: 249) + ".jsonl",
    ])
    func `An event file is taken, whatever its name`(name: String) throws {
        let house = try SpoolHouse()
        let isHidden = name.hasPrefix(".")
        house.take(name, Self.event)
        #expect(house.sealed() == (isHidden ? "" : Self.event))
        #expect(house.tree.names("incoming").contains(name) == isHidden)
        #expect(house.tree.names("active") == [])
        #expect(house.tree.names("quarantine") == [])
    }

    @Test(arguments: ["e.jsonl.gz", "e.ndjson.gz", "e.json.gz"])
    func `A gzip file is taken`(name: String) throws {
        let house = try SpoolHouse()
        house.take(name, gzip(Array(Self.event.utf8)))
        #expect(house.sealed() == Self.event)
        #expect(house.tree.names("active") == [])
    }

    @Test(arguments: [".hidden", ".e.jsonl", "e.jsonl.tmp", "e.jsonl.part", "e.tmp", ".part"])
    func `A name that producers use while they write is left alone`(name: String) throws {
        let house = try SpoolHouse()
        house.take(name, Self.event)
        #expect(house.tree.names("incoming") == [name, "all"].sorted())
        #expect(house.tree.names("active") == [])
        #expect(house.fileRefusals == [])
        // Renamed, it is an event file like any other.
        rename(house.tree.at("incoming/\(name)"), house.tree.at("incoming/done.jsonl"))
        house.scan()
        house.flush()
        #expect(house.sealed() == Self.event)
    }

    @Test(arguments: [
        "e", "jsonl", "e.txt", "e.JSONL", "e.jsonl.zst", "e.gz", "e.json.gzip", "e.jsonl ",
        "reason",
        "rejects", "e.reason", "e.rejects",
    ])
    func `Any other name puts a file into quarantine, whole, with the reason`(name: String) throws {
        let house = try SpoolHouse()
        house.take(name, Self.event)
        let reason = "its name does not end in .jsonl, .ndjson or .json, with or without .gz"
        let refusal = try #require(house.fileRefusals.first)
        #expect(refusal.reason == reason)
        guard case .quarantined(let path) = refusal.fate else {
            Issue.record("\(refusal)", severity: .error)
            return
        }
        #expect(house.tree.text(path) == Self.event)
        let number = house.tree.names("quarantine").first?.prefix(16) ?? ""
        #expect(
            house.tree.text("quarantine/\(number).reason")?.contains("reason: \(reason)") == true)
        #expect(house.tree.names("quarantine").count == 2)
        #expect(house.tree.names("active") == [])
        // A restart counts one file.
        house.start()
        #expect(house.contents?.quarantined == 1)
    }

    @Test func `What is no regular file with one name is set aside unread`() throws {
        let house = try SpoolHouse()
        let tree = house.tree
        tree.write("outside.jsonl", Self.event)
        symlink(tree.at("outside.jsonl"), tree.at("incoming/link.jsonl"))
        symlink("nowhere", tree.at("incoming/dangling.jsonl"))
        symlink("/", tree.at("incoming/root.jsonl"))
        mkfifo(tree.at("incoming/fifo.jsonl"), 0o666)
        tree.write("incoming/one.jsonl", Self.event)
        link(tree.at("incoming/one.jsonl"), tree.at("two.jsonl"))
        house.scan()
        house.uptime += .seconds(5)
        house.scan()
        house.flush()
        let reasons = house.fileRefusals.map { "\($0.file): \($0.reason)" }.sorted()
        #expect(
            reasons == [
                "incoming/dangling.jsonl: it is a symbolic link",
                "incoming/fifo.jsonl: it is a FIFO",
                "incoming/link.jsonl: it is a symbolic link",
                "incoming/one.jsonl: it has 2 hard links",
                "incoming/root.jsonl: it is a symbolic link",
            ])
        #expect(tree.names("incoming") == ["all"])
        #expect(tree.names("active") == [])
        #expect(tree.names("quarantine").count == 10)
        #expect(tree.text("outside.jsonl") == Self.event)
        #expect(house.sealed() == "")
        #expect(house.failures == [])
    }

    @Test func `A file that gets its name by link and unlink is taken when the other name is gone`()
        throws
    {
        let house = try SpoolHouse()
        let tree = house.tree
        tree.write("incoming/new.tmp", Self.event)
        link(tree.at("incoming/new.tmp"), tree.at("incoming/new.jsonl"))
        house.scan()
        house.flush()
        #expect(house.activity.writtenFiles == 1)
        #expect(house.sealed() == "")
        unlink(tree.at("incoming/new.tmp"))
        house.scan()
        house.flush()
        #expect(house.sealed() == Self.event)
        #expect(house.fileRefusals.isEmpty)
        #expect(house.activity.isEmpty)
    }

    @Test func `A second name of a file that is being read is set aside, so that it comes once`()
        throws
    {
        let house = try SpoolHouse()
        let tree = house.tree
        tree.write("incoming/one.jsonl", Self.event)
        house.scan()
        let name = try #require(tree.names("active").first)
        link(tree.at("active/\(name)"), tree.at("incoming/again.jsonl"))
        house.scan()
        house.flush()
        #expect(house.fileRefusals.map(\.reason) == ["it has 2 hard links"])
        #expect(house.sealed() == Self.event)
    }

    @Test func `A directory is named once and left, until everything is looked at again`() throws {
        let house = try SpoolHouse([connector("all")])
        house.tree.makeDirectory("incoming/mine.jsonl")
        house.tree.makeDirectory("incoming/all/deeper")
        for _ in 0..<3 { house.scan() }
        #expect(
            house.fileRefusals.map(\.file).sorted() == [
                "incoming/all/deeper", "incoming/mine.jsonl",
            ])
        #expect(house.fileRefusals.allSatisfy { $0.fate == .left })
        house.spool?.scanThoroughly()
        house.run()
        #expect(house.fileRefusals.count == 4)
        #expect(house.tree.names("incoming") == ["all", "mine.jsonl"])
    }

    @Test func `A link in the place of a connector's directory is not followed`() throws {
        let house = try SpoolHouse()
        let tree = house.tree
        rmdir(tree.at("incoming/all"))
        tree.makeDirectory("elsewhere")
        tree.write("elsewhere/e.jsonl", Self.event)
        symlink("../elsewhere", tree.at("incoming/all"))
        house.scan()
        house.start()
        house.flush()
        #expect(house.fileRefusals.map(\.file) == ["incoming/all"])
        #expect(house.fileRefusals.map(\.fate) == [.left])
        #expect(tree.names("elsewhere") == ["e.jsonl"])
        house.take("e.jsonl", Self.event)
        #expect(house.sealed() == Self.event)
    }

    @Test func `A name that is no UTF-8 is named and left`() throws {
        let house = try SpoolHouse()
        var path = Array(house.tree.at("incoming/").utf8CString.dropLast())
        path += [CChar(bitPattern: 0xff)] + Array(".jsonl".utf8CString)
        close(open(path, O_WRONLY | O_CREAT, 0o600))
        house.scan()
        #expect(house.fileRefusals.map(\.reason) == ["its name is no valid UTF-8; rename it"])
        #expect(house.fileRefusals.map(\.fate) == [.left])
        unlink(path)
    }

    @Test func `What may not be read is named and left, and taken once it may be`() throws {
        let house = try SpoolHouse()
        let files = AlteredFileSystem(house.files)
        house.files = files
        house.start()
        files.unreadable = ["incoming/e.jsonl"]
        house.take("e.jsonl", Self.event)
        #expect(house.fileRefusals.map(\.fate) == [.left])
        #expect(house.tree.names("incoming") == ["all", "e.jsonl"])
        files.unreadable = []
        house.spool?.scanThoroughly()
        house.run()
        house.flush()
        #expect(house.sealed() == Self.event)
    }

    @Test func `What cannot be moved is named and left, and holds up nothing else`() throws {
        let house = try SpoolHouse()
        let files = AlteredFileSystem(house.files)
        house.files = files
        house.start()
        files.pinned = ["incoming/1.jsonl"]
        house.tree.write("incoming/1.jsonl", Self.event)
        house.take("2.jsonl", "{\"event_type\":\"b\"}\n")
        #expect(house.sealed() == "{\"event_type\":\"b\"}\n")
        #expect(
            house.fileRefusals.map(\.reason) == [
                "it cannot be moved from there: Device or resource busy"
            ])
        #expect(house.failures == [])
        #expect(house.tree.names("incoming") == ["1.jsonl", "all"])
    }

    // MARK: Writers

    @Test func `A file that its owner holds by a lease waits, and holds up nothing else`() throws {
        let house = try SpoolHouse()
        let files = AlteredFileSystem(house.files)
        house.files = files
        house.start()
        files.held = "1.jsonl"
        house.tree.write("incoming/1.jsonl", Self.event)
        house.take("2.jsonl", "{\"event_type\":\"b\"}\n")
        #expect(house.sealed() == "{\"event_type\":\"b\"}\n")
        house.uptime += .seconds(5)
        house.scan()
        #expect(house.fileRefusals.map(\.fate) == [.waits])
        #expect(house.failures == [])
        files.held = nil
        house.scan()
        house.flush()
        #expect(house.sealed().contains(Self.event))
        #expect(house.activity.isEmpty)
    }

    @Test func `A file waits until its last writer has closed it, and is then taken whole`() throws
    {
        let house = try SpoolHouse()
        let first = house.tree.openForAppending("incoming/slow.jsonl", Array(Self.event.utf8))
        house.scan()
        house.flush()
        #expect(house.activity.writtenFiles == 1)
        #expect(house.fileRefusals.isEmpty, "most files are closed the next moment")
        house.uptime += .seconds(5)
        house.scan()
        house.scan()
        #expect(house.fileRefusals.map(\.fate) == [.waits])
        #expect(house.sealed() == "")
        // It was renamed: a rest that comes by the same name is another file.
        #expect(house.tree.names("incoming") == ["all"])
        house.take("quick.jsonl", "{\"event_type\":\"quick\"}\n")
        write(first, Self.event, Self.event.utf8.count)
        house.scan()
        #expect(house.activity.writtenFiles == 1)
        house.now += 3600
        close(first)
        house.scan()
        house.flush()
        #expect(house.activity.writtenFiles == 0)
        #expect(house.activity.isEmpty)
        let envelopes = house.envelopes("all")
        #expect(
            envelopes.map(house.text) == ["{\"event_type\":\"quick\"}\n", Self.event + Self.event])
        // Accepted when its writer was done, and behind what was accepted meanwhile.
        #expect(
            envelopes.map(\.hour) == [
                Hour(unixSeconds: house.now - 3600), Hour(unixSeconds: house.now),
            ])
    }

    @Test func `A file that waits for its writer waits through a restart`() throws {
        let house = try SpoolHouse()
        let descriptor = house.tree.openForAppending("incoming/e.jsonl", Array(Self.event.utf8))
        house.scan()
        house.start()
        house.flush()
        #expect(house.sealed() == "")
        #expect(house.activity.writtenFiles == 1)
        close(descriptor)
        house.start()
        house.flush()
        #expect(house.sealed() == Self.event)
    }

    @Test func `A file whose connector left before its writer did waits for the connector`() throws
    {
        let both = [connector("all"), connector("other", ["nothing"])]
        let house = try SpoolHouse(both)
        let path = "incoming/other/e.jsonl"
        let descriptor = house.tree.openForAppending(path, Array(Self.event.utf8))
        house.scan()
        house.routing = SpoolHouse.routing([connector("all")])
        house.start()
        close(descriptor)
        house.scan()
        house.scan()
        house.flush()
        #expect(house.tree.names("quarantine") == [])
        // Its directory, which is nobody's now, is named as well.
        let waiting = house.fileRefusals.filter { $0.fate == .waits }
        #expect(waiting.map(\.reason) == ["connector other is not in the configuration"])
        #expect(house.activity.writtenFiles == 0, "a run that ends when empty does not wait for it")
        house.routing = SpoolHouse.routing(both)
        house.start()
        house.flush()
        #expect(house.sealed("other") == Self.event)
    }

    @Test func `Where no lease is to be had, a file must stand still for five seconds`() throws {
        let house = try SpoolHouse()
        let files = AlteredFileSystem(house.files)
        files.hasLeases = false
        house.files = files
        house.start()
        house.take("e.jsonl", Self.event)
        #expect(house.sealed() == "")
        for seconds in [3, 2, 2] {
            // It grows once more: the five seconds begin anew.
            if house.uptime == .seconds(3) {
                let name = try #require(house.tree.names("active").first)
                close(house.tree.openForAppending("active/\(name)", Array(Self.event.utf8)))
            }
            house.uptime += .seconds(seconds)
            house.scan()
            house.flush()
            #expect(house.sealed() == "", "after \(house.uptime)")
        }
        house.uptime += .seconds(3)
        house.scan()
        house.flush()
        #expect(house.sealed() == Self.event + Self.event)
    }

    @Test func `More files than one round takes are all taken, each stream in their order`() throws
    {
        let house = try SpoolHouse([
            connector("all") { settings in
                settings.format = .jsonl(.none)
                settings.batch.maxEvents = 97
            }
        ])
        let count = Limits.filesPerRound + 60
        for index in 0..<count {
            house.tree.write("incoming/\(index).jsonl", "{\"event_type\":\"a\",\"id\":\(index)}\n")
        }
        house.scan()
        house.flush()
        let lines = house.sealed().split(separator: "\n")
        #expect(lines.count == count && Set(lines).count == count)
        #expect(house.tree.names("incoming") == ["all"])
        #expect(house.tree.names("active") == [])
        let envelopes = house.envelopes("all")
        #expect(envelopes.map(\.events) == [Int](repeating: 97, count: count / 97) + [count % 97])
        for (earlier, later) in zip(envelopes, envelopes.dropFirst()) {
            #expect(earlier.through < later.batch.first)
            #expect(earlier.offset + UInt64(earlier.events) == later.offset)
        }
    }
}
