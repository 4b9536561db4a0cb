import Batching
import Digest
import Files
import Glibc
import Model
import Support
import Testing

@testable import Spool

/// Files that become objects as they are.
@Suite struct ExportTests {
    private static func connector(
        _ name: String, template: String = "{path}", folder: String = ""
    ) throws -> Routing.Connector {
        var settings = ConnectorSettings(
            name: ConnectorName(name)!, bucket: "b", integrationID: "")
        settings.kind = .dataExport
        settings.folder = folder
        settings.keyTemplate = try KeyTemplate(template)
        return Routing.Connector(settings)
    }

    private func house(template: String = "{path}", folder: String = "") throws -> SpoolHouse {
        try SpoolHouse([
            SpoolTests.connector("all"),
            Self.connector("reports", template: template, folder: folder),
        ])
    }

    @Test(arguments: [
        ("report.csv", "report.csv", "text/csv"),
        ("2026%2F11%2Freport.csv", "2026/11/report.csv", "text/csv"),
        ("100%25.txt", "100%.txt", "text/plain"),
        ("two words.bin", "two words.bin", "application/octet-stream"),
        ("ü 🚀.json", "ü 🚀.json", "application/json"),
        ("e.jsonl", "e.jsonl", "application/x-ndjson"),
        ("no-extension", "no-extension", "application/octet-stream"),
        (
            String(repeating: "n", count: 140), String(repeating: "n", count: 140),
            "application/octet-stream"
        ),
    ])
    func `A file becomes one object, byte for byte, under its name`(
        name: String, key: String, type: String
    ) throws {
        let house = try house(folder: "exports")
        let body: [UInt8] = Array("no event, \0 and \u{ff}".utf8)
        house.take("reports/\(name)", body)
        let envelope = try #require(house.envelopes("reports").first)
        #expect(envelope.key == "exports/\(key)")
        #expect(envelope.contentType.hasPrefix(type))
        #expect(envelope.export == Envelope.Export(path: key))
        #expect(envelope.events == 1)
        #expect(envelope.size == UInt64(body.count))
        #expect(
            envelope.digest
                == ContentDigest(whole: body.withUnsafeBytes { SHA256.digest(of: $0) }))
        #expect(house.tree.contents(envelope.objectPath) == body)
        #expect(house.held.map(\.isExport) == [true])
        #expect(house.tree.names("active") == [])
        #expect(house.tree.names("incoming/reports") == [])
        #expect(house.activity.isEmpty)
    }

    @Test(arguments: [0, 1, (256 << 10) - 1, 256 << 10, (256 << 10) + 1, 3 << 20])
    func `A file of any size is hashed from end to end`(size: Int) throws {
        let house = try house()
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        house.take("reports/f", body)
        let envelope = try #require(house.envelopes("reports").first)
        #expect(envelope.size == UInt64(size))
        #expect(
            envelope.digest
                == ContentDigest(whole: body.withUnsafeBytes { SHA256.digest(of: $0) }))
        #expect(house.tree.contents(envelope.objectPath) == body)
    }

    @Test func `A large file is hashed in pieces, by several workers, and is one object`() throws {
        let house = try house()
        let size = 100 << 20 + 1
        house.tree.write("incoming/reports/f", [])
        truncate(house.tree.at("incoming/reports/f"), size)
        house.scan()
        let envelope = try #require(house.envelopes("reports").first)
        #expect(envelope.size == UInt64(size))
        // Python: hashlib.sha256 of the digests of pieces of 8 MiB, and zlib.crc32, of so many zeros.
        #expect(
            envelope.digest.description
                == "787dd20da2ee0ae36d96271ae5ce67ca08a9ef6ba61f9995d583ee99dab44fa2-13")
        #expect(envelope.crc32 == 748_543_192)
    }

    @Test(arguments: [
        ("a%2F..", "resolve"), ("a%2F..%2Fb", "resolve"), ("%2Fetc", "slash"), ("a%2F", "slash"),
        ("a%2F%2Fb", "slashes"), ("%zz", "%"), ("%ff", "UTF-8"), ("a%0Ab", "control"),
        (String(repeating: "n", count: 141), "140"), (String(repeating: "ü", count: 100), "140"),
    ])
    func `A name that names no object goes to quarantine with the reason, and stays there`(
        name: String, reason: String
    ) throws {
        let house = try house()
        house.take("reports/\(name)", "x")
        #expect(house.envelopes("reports").isEmpty)
        let refusal = try #require(house.fileRefusals.first)
        #expect(refusal.reason.contains(reason), "\(refusal.reason)")
        #expect(refusal.reason.hasPrefix("its name "))
        guard case .quarantined(let path) = refusal.fate else {
            Issue.record("\(refusal)", severity: .error)
            return
        }
        #expect(house.tree.text(path) == "x")
        house.spool?.decide(.retry(nil), nil) { _ in }
        house.run()
        #expect(house.tree.text(path) == "x", "no retry gives it another name")
    }

    @Test func `A key may have members that follow from the file`() throws {
        let house = try house(
            template: "segment-export/{directory}/{date}/{uuid}-{timestamp}/{name}")
        house.tree.write("held", "x")
        var times = [
            timespec(tv_sec: 1_795_000_123, tv_nsec: 5),
            timespec(tv_sec: 1_795_000_123, tv_nsec: 5),
        ]
        utimensat(AT_FDCWD, house.tree.at("held"), &times, 0)
        rename(house.tree.at("held"), house.tree.at("incoming/reports/vip%2Fr.csv"))
        house.scan()
        let key = try #require(house.envelopes("reports").first).key
        #expect(key.hasPrefix("segment-export/vip/2026-11-18/"), "\(key)")
        #expect(key.hasSuffix("-1795000123/r.csv"), "\(key)")
    }

    @Test func `A key that would be too long, or lie among events, is refused`() throws {
        let house = try house(folder: String(repeating: "f", count: 1000))
        house.take("reports/a-name-of-two-dozen-bytes", "x")
        #expect(house.fileRefusals.first?.reason.contains("1024") == true)
        let root = try self.house()
        root.spool?.govern(
            by: IntakePolicy(closedFolders: [
                ConnectorName("reports")!: [
                    .init(folder: "currents", connector: ConnectorName("all")!)
                ]
            ]))
        root.take("reports/currents%2Fevent_type=x", "x")
        root.take("reports/currents-2%2Fx", "x")
        #expect(
            root.fileRefusals.map(\.reason) == [
                "its key currents/event_type=x would lie among the events of connector all"
            ])
        #expect(root.envelopes("reports").map(\.key) == ["currents-2/x"])
    }

    @Test func `Events go on as ever, and none to a connector that takes files`() throws {
        let house = try house()
        house.take(
            "e.jsonl",
            "{\"event_type\":\"a\",\"id\":\"1\"}\n{\"event_type\":\"a\",\"connector\":\"reports\"}\n"
        )
        #expect(house.sealed() == "{\"event_type\":\"a\",\"id\":\"1\"}\n")
        #expect(house.envelopes("reports").isEmpty)
        #expect(
            house.eventsRefusals.first?.firstReason
                == "the connector takes files as they are, and no events")
    }

    @Test func `A file that is written to after its claim is refused, and can be retried`() throws {
        let house = try house()
        house.beforeWork = {
            guard let name = house.tree.names("active").first else { return }
            close(house.tree.openForAppending("active/\(name)", Array("more".utf8)))
        }
        house.take("reports/f.csv", "x")
        #expect(house.envelopes("reports").isEmpty)
        #expect(
            house.fileRefusals.map(\.reason) == ["somebody wrote into it after it was claimed"])
        house.spool?.decide(.retry(nil), nil) { _ in }
        house.run()
        let envelope = try #require(house.envelopes("reports").first)
        #expect(envelope.key == "f.csv")
        #expect(house.tree.text(envelope.objectPath) == "xmore")
        #expect(house.tree.names("quarantine") == [])
    }

    @Test func `A file with a writer waits until that is gone`() throws {
        let house = try house()
        let writer = house.tree.openForAppending("incoming/reports/f.csv", Array("x".utf8))
        house.scan()
        #expect(house.envelopes("reports").isEmpty)
        write(writer, "y", 1)
        close(writer)
        house.scan()
        let envelope = try #require(house.envelopes("reports").first)
        #expect(house.tree.text(envelope.objectPath) == "xy")
    }

    @Test func `A file that was sealed when the process ended follows its envelope at the start`()
        throws
    {
        for (ending, place) in [("envelope", "sealed"), ("archived", "expired"), ("delivered", "")]
        {
            let house = try house()
            house.take("reports/f.csv", "x")
            let envelope = try #require(house.envelopes("reports").first)
            let claimed = ActiveName(
                number: envelope.batch.first.file, accepted: envelope.accepted.lowerBound, size: 1,
                encoding: .plain, connector: envelope.batch.connector, original: "f.csv",
                contents: .export)
            // As if the rename that follows the seal had not come to the disk.
            let files = try RealFileSystem(root: house.tree.path)
            switch ending {
            case "archived":
                house.settle(.archived(perhapsDelivered: false))
                try files.rename(SpoolLayout.archivedObject(envelope.batch), to: claimed.path)
            case "delivered":
                try files.rename(envelope.objectPath, to: claimed.path)
                try files.rename(
                    SpoolLayout.envelope(envelope.batch), to: SpoolLayout.tombstone(envelope.batch))
            default:
                try files.rename(envelope.objectPath, to: claimed.path)
            }
            house.start()
            #expect(house.tree.names("active") == [], "\(ending)")
            #expect(house.failures == [])
            if !place.isEmpty {
                let object = "\(place)/reports/\(envelope.batch.name).object"
                #expect(house.tree.text(object) == "x", "\(ending)")
            }
            #expect(house.held.count == (ending == "envelope" ? 1 : 0))
            #expect(house.held.allSatisfy { !$0.isObjectMissing })
            house.scan()
            #expect(house.fileRefusals == [])
        }
    }

    @Test func `A taken key gets the next number, again and again`() throws {
        let house = try house()
        house.take("reports/f.csv", "x")
        for expected in ["f-2.csv", "f-3.csv"] {
            house.spool?.rekey(house.held) { _ in }
            house.run()
            #expect(house.envelopes("reports").map(\.key) == [expected])
            house.start()
        }
        #expect(house.held.count == 1)
    }

    @Test
    func `What an export connector was given stays an export through a change of the routing`()
        throws
    {
        let house = try house()
        house.take("reports/f.csv", "x")
        house.routing = SpoolHouse.routing([
            SpoolTests.connector("all"), try Self.connector("reports", folder: "other"),
        ])
        house.spool?.change(to: house.routing)
        house.run()
        house.take("reports/g.csv", "y")
        #expect(house.envelopes("reports").map(\.key) == ["f.csv", "other/g.csv"])
        // Not in the configuration any more: what comes is for nobody, and waits.
        house.routing = SpoolHouse.routing([SpoolTests.connector("all")])
        house.spool?.change(to: house.routing)
        house.run()
        house.tree.write("incoming/reports/h.csv", "z")
        house.scan()
        #expect(house.tree.names("incoming/reports") == ["h.csv"])
        #expect(house.envelopes("reports").count == 2)
    }
}
