import Files
import Glibc
import Model
import Support
import Testing

@testable import Spool

/// Files that end before their end, or go on after it.
@Suite struct BrokenFileTests {
    private static func event(_ index: Int) -> String {
        // Numbers that do not repeat, so that a text of some size is of some size packed too.
        let noise = UInt64(index) &* 0x9e37_79b9_7f4a_7c15
        return "{\"event_type\":\"a\",\"id\":\(index),\"x\":\"\(noise)\(noise &* noise)\"}\n"
    }

    private static let text = (0..<60_000).map { event($0) }.joined()
    private static let packed = gzip(Array(text.utf8))

    /// The events that were taken are the first ones, and the reason names where they end.
    private func expectPrefix(_ house: SpoolHouse, _ what: String, _ bytes: [UInt8], _ name: String)
    {
        let taken = house.sealed()
        #expect(Self.text.hasPrefix(taken) && taken.utf8.count < Self.text.utf8.count)
        #expect(
            house.fileRefusals.map(\.reason) == [
                "\(what); taken up to byte \(taken.utf8.count) of its text"
            ])
        guard case .quarantined(let path) = house.fileRefusals.first?.fate else {
            Issue.record("\(house.fileRefusals)", severity: .error)
            return
        }
        #expect(path.hasSuffix("-\(name)"))
        #expect(house.tree.contents(path) == bytes)
        #expect(house.tree.names("active") == [])
        #expect(house.activity.isEmpty)
    }

    @Test
    func `A gzip file that ends too early is kept, with the position up to which it was taken`()
        throws
    {
        let house = try SpoolHouse()
        let bytes = Array(Self.packed[..<(Self.packed.count * 3 / 4)])
        house.take("e.jsonl.gz", bytes)
        #expect(house.sealed().utf8.count > 1 << 20)
        expectPrefix(house, "the gzip data ends too early", bytes, "e.jsonl.gz")
    }

    @Test func `A damaged gzip file is kept, with the position up to which it was taken`() throws {
        let house = try SpoolHouse()
        var bytes = Self.packed
        // Behind the joint of two blocks, a stored one of a length that its complement does not confirm.
        let joint = try #require(
            bytes.indices.dropFirst(bytes.count * 3 / 4).first {
                bytes[$0...].starts(with: [0, 0, 0xff, 0xff])
            })
        bytes.replaceSubrange((joint + 4)..., with: [0, 1, 2, 3, 4])
        house.take("e.jsonl.gz", bytes)
        #expect(house.sealed().utf8.count > 1 << 20)
        let reason = try #require(house.fileRefusals.first?.reason)
        #expect(reason.hasPrefix("the gzip data is damaged: "))
        expectPrefix(house, String(reason.prefix { $0 != ";" }), bytes, "e.jsonl.gz")
    }

    @Test(arguments: [[], [0x1f], [0x1f, 0x8b, 8], Array(packed.prefix(30))])
    func `A gzip file with hardly a beginning is kept`(bytes: [UInt8]) throws {
        let house = try SpoolHouse()
        house.take("e.json.gz", bytes)
        expectPrefix(house, "the gzip data ends too early", bytes, "e.json.gz")
    }

    @Test func `Text under a gzip name is kept`() throws {
        let house = try SpoolHouse()
        let bytes = Array(Self.event(1).utf8)
        house.take("e.json.gz", bytes)
        expectPrefix(house, "the gzip data is damaged: incorrect header check", bytes, "e.json.gz")
    }

    @Test func `Gzip members one after another are one text`() throws {
        let house = try SpoolHouse()
        let half = Self.text.utf8.count / 2 + 7
        let bytes = Array(Self.text.utf8)
        house.take(
            "e.json.gz", gzip(Array(bytes[..<half])) + gzip(Array(bytes[half...])) + [0, 0, 0])
        #expect(house.sealed() == Self.text)
        #expect(house.fileRefusals == [])
    }

    @Test
    func `A file that breaks after refused lines has both its rejects and itself in quarantine`()
        throws
    {
        let house = try SpoolHouse()
        let bytes = Array(gzip(Array((Self.event(1) + "bad\n" + Self.text).utf8)).dropLast(9000))
        house.take("e.jsonl.gz", bytes)
        #expect(house.quarantined(".rejects")?.hasSuffix("\"bytes\":3}\nbad\n") == true)
        #expect(
            house.quarantined(".reason")?.contains("the gzip data ends too early; taken up to")
                == true)
        #expect(house.tree.names("quarantine").count == 3)
        #expect(house.tree.names("active") == [])
    }

    // MARK: Changed after the claim

    /// Runs `change` on the claimed file before it is read.
    private func change(
        _ house: SpoolHouse, _ text: String, _ change: @escaping (_ path: String) -> Void
    ) {
        house.beforeWork = {
            guard let name = house.tree.names("active").first else {
                Issue.record("nothing was claimed", severity: .error)
                return
            }
            change("active/\(name)")
        }
        house.take("e.jsonl", text)
    }

    @Test func `What is added to a claimed file is not read, and the file is kept with a notice`()
        throws
    {
        let house = try SpoolHouse()
        // The claim fixed the size in the middle of a line; a last line needs no newline.
        let text = Self.event(1) + Self.event(2).dropLast()
        change(house, text) { path in
            close(house.tree.openForAppending(path, Array("9\n\(Self.event(3))".utf8)))
        }
        #expect(house.sealed() == Self.event(1) + Self.event(2))
        let reason =
            "somebody added to it after it was claimed at \(text.utf8.count) bytes; "
            + "those bytes were taken, what follows them was not"
        #expect(house.fileRefusals.map(\.reason) == [reason])
        #expect(house.quarantined("-e.jsonl") == text + "9\n" + Self.event(3))
        #expect(house.tree.names("active") == [])
    }

    @Test func `A claimed file that somebody makes shorter is kept with a notice`() throws {
        let house = try SpoolHouse()
        change(house, Self.event(1) + Self.event(2)) { path in
            truncate(house.tree.at(path), off_t(Self.event(1).utf8.count + 5))
        }
        #expect(house.sealed() == Self.event(1))
        #expect(
            house.fileRefusals.map(\.reason) == [
                "somebody made the file shorter after it was claimed; "
                    + "taken up to byte \(Self.event(1).utf8.count) of its text"
            ])
        #expect(house.tree.names("active") == [])
    }

    @Test func `A file that somebody opened for writing when it is read is kept with a notice`()
        throws
    {
        let house = try SpoolHouse()
        var descriptor: Int32 = -1
        change(house, Self.event(1) + Self.event(2)) { path in
            descriptor = house.tree.openForAppending(path, [])
        }
        close(descriptor)
        // Whole lines, and told that they may be others than were dropped.
        #expect(house.sealed() == Self.event(1) + Self.event(2))
        #expect(house.fileRefusals.count == 1)
        #expect(
            house.fileRefusals.first?.reason.hasPrefix(
                "somebody wrote into it after it was claimed; its events were taken as they were")
                == true)
        #expect(house.tree.names("active") == [])
    }

    @Test(arguments: [false, true])
    func `A file that changes while it is read is kept with a notice`(isSetBack: Bool) throws {
        let house = try SpoolHouse()
        let files = AlteredFileSystem(house.files)
        house.files = files
        // Without leases nothing tells of a writer; the times do, also where the owner sets one of them back.
        files.hasLeases = false
        house.start()
        files.whenRead = { path in
            files.whenRead = nil
            let file = open(house.tree.at(path), O_WRONLY)
            var before = stat()
            fstat(file, &before)
            pwrite(file, "{\"event_type\":\"b\"", 17, 0)
            if isSetBack { futimens(file, [before.st_atim, before.st_mtim]) }
            close(file)
        }
        house.tree.write("incoming/e.jsonl", Self.event(1) + Self.event(2))
        house.scan()
        house.uptime += .seconds(6)
        house.scan()
        house.flush()
        #expect(files.whenRead == nil)
        #expect(house.fileRefusals.map { $0.reason.prefix(17) } == ["somebody wrote in"])
    }

    @Test func `A file that its owner holds by a lease when it is read is kept; the next is read`()
        throws
    {
        let house = try SpoolHouse()
        let files = AlteredFileSystem(house.files)
        house.files = files
        house.start()
        house.tree.write("incoming/1.jsonl", Self.event(1))
        house.beforeWork = { files.held = "1.jsonl" }
        house.take("2.jsonl", Self.event(2))
        #expect(house.sealed() == Self.event(2))
        #expect(
            house.fileRefusals.map(\.reason) == [
                "its owner keeps others from opening it, by a lease"
            ])
        #expect(house.failures == [])
    }

    @Test func `Refused lines beyond a limit are counted, and their file is kept whole`() throws {
        let house = try SpoolHouse()
        let lines = String(repeating: String(repeating: "x", count: 800_000) + "\n", count: 90)
        let text = Self.event(1) + lines + Self.event(2)
        house.take("e.jsonl.gz", gzip(Array(text.utf8)))
        #expect(house.sealed() == Self.event(1) + Self.event(2))
        #expect(house.eventsRefusals.map(\.refused) == [90])
        #expect(
            house.fileRefusals.map(\.reason) == [
                "so many of its lines are refused that those from line 86 on are not kept apart"
            ])
        let rejects = house.quarantined(".rejects")?.utf8.count ?? 0
        #expect((64 << 20..<66 << 20).contains(rejects), "\(rejects)")
    }

    @Test func `A file that the device fails on three times is taken as far as it can be read`()
        throws
    {
        let house = try SpoolHouse()
        let files = AlteredFileSystem(house.files)
        house.files = files
        house.start()
        files.broken = ("1.jsonl", UInt64(Self.event(1).utf8.count + 3))
        house.tree.write("incoming/1.jsonl", Self.event(1) + Self.event(2))
        house.take("2.jsonl", Self.event(3))
        for count in 1...3 {
            #expect(house.failures.count == count)
            #expect(house.sealed() == "")
            #expect(house.tree.names("active").count == 2)
            house.spool?.open()
            house.run()
        }
        house.flush()
        #expect(house.failures.count == 3)
        // What stands behind the file is not held up by it.
        #expect(house.sealed() == Self.event(1) + Self.event(3))
        let end = "taken up to byte \(Self.event(1).utf8.count) of its text"
        #expect(house.fileRefusals.map(\.file) == ["incoming/1.jsonl"])
        #expect(
            house.fileRefusals.map(\.reason) == ["reading it failed: Input/output error; \(end)"])
        #expect(house.tree.names("active") == [])
    }

    @Test func `A device that fails on a file once or twice costs nothing`() throws {
        let house = try SpoolHouse()
        let files = AlteredFileSystem(house.files)
        house.files = files
        house.start()
        files.broken = ("1.jsonl", 5)
        house.take("1.jsonl", Self.event(1))
        house.spool?.open()
        house.run()
        #expect(house.failures.count == 2)
        files.broken = nil
        house.spool?.open()
        house.run()
        house.flush()
        #expect(house.sealed() == Self.event(1))
        #expect(house.fileRefusals == [])
        #expect(house.tree.names("active") == [])
    }
}
