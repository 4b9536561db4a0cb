import Files
import Model
import Support
import Testing

@testable import Spool

/// Who goes on while the disk is short, and who waits for a limit of their own.
@Suite struct RoomTests {
    private static let reserve: UInt64 = 1 << 30

    /// A spool of two connectors, "good" and "bad", on a disk with so much of the reserve left.
    private func house(eighthsLeft: UInt64) throws -> (SpoolHouse, AlteredFileSystem) {
        let house = try SpoolHouse([connector("bad", ["bad.*"]), connector("good", ["good.*"])])
        let disk = AlteredFileSystem(house.files)
        house.files = disk
        house.minimumFree = .bytes(ByteCount(Self.reserve))
        house.start()
        leave(eighthsLeft, of: disk)
        return (house, disk)
    }

    private func leave(_ eighths: UInt64, of disk: AlteredFileSystem) {
        disk.room = FileSystemSpace(
            totalBytes: 100 << 30, freeBytes: Self.reserve / 8 * eighths, totalInodes: 0,
            freeInodes: 0)
    }

    private func event(_ type: String, _ id: Int = 1) -> String {
        "{\"event_type\":\"\(type).X\",\"id\":\"\(id)\"}\n"
    }

    private func waiting(_ house: SpoolHouse) -> [String] {
        ["", "bad/", "good/"].flatMap { place in
            house.tree.names("incoming/\(place)").filter { $0.hasSuffix(".jsonl") }
                .map { "\(place)\($0)" }
        }
    }

    @Test func `On a short disk only a connector in trouble waits, and is told with the disk`()
        throws
    {
        let (house, _) = try house(eighthsLeft: 6)
        house.govern(troubled: ["bad"])
        for place in ["", "bad/", "good/"] {
            house.take("\(place)e.jsonl", event("good"))
            house.settle(.delivered)
        }
        #expect(waiting(house) == ["bad/e.jsonl"])
        #expect(house.activity.isIncomingEmpty == false)
        #expect(house.obstacles == ["disk"])
        house.govern()
        house.flush()
        #expect(waiting(house) == [])
    }

    @Test func `Below half of the reserve the shared directory waits for a connector in trouble`()
        throws
    {
        let (house, _) = try house(eighthsLeft: 3)
        house.govern(troubled: ["bad"])
        for place in ["", "good/"] { house.take("\(place)e.jsonl", event("good")) }
        #expect(waiting(house) == ["e.jsonl"])
        house.govern()
        house.settle(.delivered)
        house.flush()
        #expect(waiting(house) == [])
    }

    @Test func `In the last quarter one file at a time is taken, once nothing is left to deliver`()
        throws
    {
        let (house, disk) = try house(eighthsLeft: 1)
        for number in 1...3 {
            house.tree.write("incoming/good/\(number).jsonl", Array(event("good").utf8))
        }
        house.scan()
        house.flush()
        for left in [2, 1, 0] {
            #expect(waiting(house).count == left)
            // Nothing more before that one is delivered.
            house.scan()
            house.flush()
            #expect(waiting(house).count == left)
            house.settle(.delivered)
            house.flush()
        }
        #expect(house.activity.isEmpty)
        leave(80, of: disk)
        house.scan()
        #expect(house.obstacles == ["disk", "resumed"])
    }

    @Test func `What a connector in trouble holds does not keep the others from reading`() throws {
        let (house, disk) = try house(eighthsLeft: 80)
        house.govern(troubled: ["bad"])
        house.take("bad/e.jsonl", event("bad"))
        leave(1, of: disk)
        // Claimed before the disk became short, and still to be read.
        house.take("good/e.jsonl", event("good"))
        #expect(house.sealed("good") == event("good"))
        #expect(house.envelopes("bad").count == 1)
    }

    @Test func `Inodes that run out are shared in the same way`() throws {
        let (house, disk) = try house(eighthsLeft: 80)
        disk.room = FileSystemSpace(
            totalBytes: 1 << 40, freeBytes: 1 << 39, totalInodes: 1000, freeInodes: 40)
        house.govern(troubled: ["bad"])
        for place in ["bad/", "good/"] { house.take("\(place)e.jsonl", event("good")) }
        #expect(waiting(house) == ["bad/e.jsonl"])
        #expect(house.obstacles == ["inodes"])
    }

    // MARK: max_held

    @Test
    func `At its max_held a connector's own directory waits, and goes on below seven eighths`()
        throws
    {
        let (house, _) = try house(eighthsLeft: 80)
        house.take("good/1.jsonl", event("good"))
        let size = try #require(house.envelopes("good").first?.size)
        house.govern(maxHeld: ["good": size])
        house.take("good/2.jsonl", event("good", 2))
        house.take("bad/1.jsonl", event("bad"))
        #expect(waiting(house) == ["good/2.jsonl"])
        #expect(house.waits == ["good waits"])
        house.govern(maxHeld: ["good": size + 1])
        #expect(waiting(house) == ["good/2.jsonl"])
        house.settle(.delivered)
        house.flush()
        #expect(waiting(house) == [])
        #expect(house.waits == ["good waits", "good resumed"])
    }

    @Test func `Files claimed together do not pass the limit by more than one`() throws {
        let (house, _) = try house(eighthsLeft: 80)
        let size = UInt64(event("good").utf8.count)
        house.govern(maxHeld: ["good": 2 * size + 1])
        for number in 1...6 {
            house.tree.write("incoming/good/\(number).jsonl", Array(event("good").utf8))
        }
        house.scan()
        #expect(waiting(house).count == 3)
        #expect(house.waits == ["good waits"])
    }

    @Test func `A directory without files is no news`() throws {
        let (house, _) = try house(eighthsLeft: 80)
        house.take("good/1.jsonl", event("good"))
        house.govern(maxHeld: ["good": 1])
        house.scan()
        #expect(house.waits == [])
        #expect(house.activity.isIncomingEmpty)
    }

    // MARK: Ballast

    @Test func `A full disk gets the ballast, and with room it is made again`() throws {
        let (house, disk) = try house(eighthsLeft: 80)
        let ballast = house.tree.names("ballast")
        #expect(ballast.count == Limits.ballastFiles)
        house.take("good/1.jsonl", event("good"))
        let envelope = try #require(house.held.first)
        disk.fullForNames.insert(SpoolLayout.tombstone(envelope.id))
        house.settle(.delivered)
        #expect(house.tree.names("ballast") == [])
        #expect(house.held.count == 1)

        disk.fullForNames = []
        house.settle(.delivered)
        #expect(house.held == [])
        leave(1, of: disk)
        house.scan()
        leave(80, of: disk)
        house.scan()
        #expect(house.tree.names("ballast") == ballast)
    }
}

extension SpoolHouse {
    /// What stood in the way of intake, in order.
    fileprivate var obstacles: [String] {
        reports.compactMap { report in
            switch report {
            case .waiting(.diskNearlyFull): "disk"
            case .waiting(.inodesNearlyGone): "inodes"
            case .waiting: "clock"
            case .resumed: "resumed"
            default: nil
            }
        }
    }

    /// What was told of connectors at their limits.
    fileprivate var waits: [String] {
        reports.compactMap { report in
            switch report {
            case .connectorWaits(let connector, _, _): "\(connector) waits"
            case .connectorResumed(let connector): "\(connector) resumed"
            default: nil
            }
        }
    }
}
