import Batching
import Model
import Support
import Testing

@testable import Spool

/// Which events of a file go where, byte for byte, and what becomes of the rest.
@Suite struct IntakeTests {
    private func event(_ type: String, _ id: String, _ rest: String = "") -> String {
        "{\"event_type\":\"\(type)\",\"id\":\"\(id)\"\(rest)}"
    }

    /// The lines of a file of rejects, without its head.
    private func rejects(_ house: SpoolHouse) -> [String] {
        (house.quarantined(".rejects") ?? "").split(separator: "\n").dropFirst().map(String.init)
    }

    private func plain(_ name: String, _ patterns: [String], defaultType: String? = nil)
        -> [Routing.Connector]
    {
        [connector(name, patterns, defaultType: defaultType) { $0.format = .jsonl(.none) }]
    }

    // MARK: Bytes

    @Test func `Events keep their own bytes and their order; what stands around them goes`() throws
    {
        let house = try SpoolHouse()
        let events = [
            "{ \"event_type\" : \"a\" ,\t\"n\" : [ 1 , 2 ] }",
            #"{"event_type":"a","\u0061":"\ud83d\ude80 ä"}"#,
            #"{"event_type":"a","event_type":"a","x":1E+2,"y":-0.0,"z":9999999999999999999999}"#,
        ]
        house.take("e.jsonl", "  \(events[0])\t \r\n\r\n\n   \n\(events[1])\r\n\(events[2]) \n \n")
        #expect(house.sealed() == events.joined(separator: "\n") + "\n")
        #expect(house.eventsRefusals == [])
        #expect(house.tree.names("quarantine") == [])
    }

    @Test(arguments: [false, true])
    func `A byte order mark at the start and a missing newline at the end do not matter`(
        isGzip: Bool
    ) throws {
        let house = try SpoolHouse()
        let text = "\u{feff}\(event("a", "1"))\n\(event("a", "2"))"
        let bytes = Array(text.utf8)
        house.take(isGzip ? "e.json.gz" : "e.json", isGzip ? gzip(bytes) : bytes)
        #expect(house.sealed() == "\(event("a", "1"))\n\(event("a", "2"))\n")
        #expect(house.envelopes("all").map(\.batch.first.offset) == [3])
        #expect(house.tree.names("quarantine") == [])
    }

    @Test func `A byte order mark anywhere else is no JSON`() throws {
        let house = try SpoolHouse()
        house.take("e.json", "\(event("a", "1"))\n\u{feff}\(event("a", "2"))\n")
        #expect(house.sealed() == "\(event("a", "1"))\n")
        #expect(house.eventsRefusals.map(\.firstReason) == ["not a JSON object"])
    }

    @Test(arguments: ["", "\n", "\n\n\r\n  \n", " ", "\u{feff}", "\u{feff}\n"])
    func `A file without a line leaves nothing behind`(text: String) throws {
        let house = try SpoolHouse()
        house.take("plain.jsonl", text)
        house.take("packed.jsonl.gz", gzip(Array(text.utf8)))
        #expect(house.envelopes("all") == [])
        for place in ["active", "quarantine", "sealed/all"] {
            #expect(house.tree.names(place) == [])
        }
        #expect(house.fileRefusals == [])
        #expect(house.activity.isEmpty)
    }

    @Test func `Types and hours are streams of their own`() throws {
        let house = try SpoolHouse([connector("all") { $0.format = .jsonl(.none) }])
        let lines = (0..<6).map { event($0 % 2 == 0 ? "a.X" : "b-Y", "\($0)") }
        house.tree.write("incoming/1.jsonl", lines.joined(separator: "\n"))
        house.scan()
        house.now += 3600
        house.take("2.jsonl", event("a.X", "6") + "\n")
        let envelopes = house.envelopes("all")
        let found = envelopes.map { "\($0.eventType) \($0.hour) \($0.events) \($0.offset)" }
        let hours = [house.now - 3600, house.now].map { Hour(unixSeconds: $0) }
        let start = UInt64(house.now) * 1_000_000
        #expect(
            found == [
                "a.X \(hours[0]) 3 \(start)", "b-Y \(hours[0]) 3 \(start)",
                "a.X \(hours[1]) 1 \(start + 3)",
            ])
        let texts = [[0, 2, 4], [1, 3, 5]].map { $0.map { lines[$0] + "\n" }.joined() }
        #expect(envelopes.map { house.text($0) } == texts + [event("a.X", "6") + "\n"])
        let source = "dataexport.c.S3.integration.all-id"
        #expect(
            envelopes.last?.key
                == "currents/\(source)/event_type=a.X/date=\(hours[1])/0/z/\(source)+0+\(start + 3).jsonl"
        )
    }

    // MARK: Directions

    @Test func `Subscriptions, sub-directory and member say where an event goes`() throws {
        let house = try SpoolHouse(
            plain("clicks", ["*.Click"]) + plain("logs", ["log.*"], defaultType: "log.line")
                + plain("orders", ["shop.*"]))
        let untyped = #"{"id":"untyped"}"#
        house.take(
            "e.jsonl",
            [
                event("log.Click", "both"), event("shop.Order", "subscribed"), untyped,
                event("any", "named", #","connector":"orders""#),
                event("any", "list", #","connector":["orders", "clicks","orders"]"#),
                event("any", "escaped", #","connector":"\u006fr\u0064ers""#),
                #"{"id":"default","connector":"logs"}"#,
                #"{"event_\u0074ype":"shop.\u004frder","id":"escaped type"}"#,
            ].joined(separator: "\n"))
        // A sub-directory is stronger than the event's own word, and asks for no subscription.
        house.take("orders/e.jsonl", event("log.Click", "dir", #","connector":"logs""#))
        func found(_ name: String) -> [String] {
            house.envelopes(name).flatMap { envelope in
                house.text(envelope).split(separator: "\n").map { line in
                    let id = line.split(separator: "\"id\":\"").last?.prefix { $0 != "\"" } ?? ""
                    return "\(envelope.eventType) \(id)"
                }
            }.sorted()
        }
        #expect(found("clicks") == ["any list", "log.Click both"])
        #expect(found("logs") == ["log.Click both", "log.line default", "log.line untyped"])
        #expect(
            found("orders") == [
                "any escaped", "any list", "any named", "log.Click dir", "shop.Order escaped type",
                "shop.Order subscribed",
            ])
        #expect(house.eventsRefusals == [])
    }

    @Test(arguments: [
        (#""connector":"nobody""#, "", #"there is no connector "nobody""#),
        (#""connector":["orders","nobody"]"#, "", #"there is no connector "nobody""#),
        (#""connector":"Orders""#, "", #"there is no connector "Orders""#),
        (#""connector":"""#, "", #"there is no connector """#),
        (#""connector":[]"#, "", "its connector is neither a name nor a list of names"),
        (#""connector":7"#, "", "its connector is neither a name nor a list of names"),
        (#""connector":["orders",7]"#, "", "its connector is neither a name nor a list of names"),
        (
            #""connector":{"name":"orders"}"#, "",
            "its connector is neither a name nor a list of names"
        ),
        (#""connector":null"#, "", "its connector is neither a name nor a list of names"),
        (#""id":"x""#, "", "it has no event_type, and the connector has no default_event_type"),
        (#""event_type":null"#, "", Self.invalidType), (#""event_type":"""#, "", Self.invalidType),
        (#""event_type":["shop.a"]"#, "", Self.invalidType),
        (#""event_type":"shop..a""#, "", Self.invalidType),
        (#""event_type":"mail.Send""#, "", "no connector wants events of type mail.Send"),
        (#""event_type":"a b","connector":"orders""#, "orders", Self.invalidType),
        (
            #""connector":"orders""#, "orders",
            "it has no event_type, and the connector has no default_event_type"
        ),
    ])
    func `A refused event is refused whole, with its reason`(
        members: String, refuser: String, reason: String
    ) throws {
        let house = try SpoolHouse(plain("orders", ["shop.*"]))
        let type =
            members.contains("event_type") || !members.contains("nobody")
            ? "" : "\"event_type\":\"shop.a\","
        let event = "{\(type)\(members)}"
        house.take("e.jsonl", "{\"event_type\":\"shop.Good\"}\n \(event)\n")
        #expect(house.sealed("orders") == "{\"event_type\":\"shop.Good\"}\n")
        let who = refuser.isEmpty ? "" : ",\"connector\":\"\(refuser)\""
        #expect(
            rejects(house) == [
                "{\"line\":2,\"offset\":28\(who),\"reason\":\(JSONText.quoted(reason)),"
                    + "\"bytes\":\(event.utf8.count)}",
                event,
            ])
        #expect(
            house.eventsRefusals == [
                EventsRefusal(
                    file: "incoming/e.jsonl", refused: 1, accepted: 1, firstLine: 2,
                    firstReason: reason,
                    path: "quarantine/\(house.tree.names("quarantine").first ?? "")")
            ])
    }

    private static let invalidType =
        "its event_type is no string of 1 to 128 letters, digits, \"_\", \"-\" and single dots"

    @Test func `What nobody wants is dropped and counted where that is asked for`() throws {
        let house = try SpoolHouse(plain("orders", ["shop.*"]), unmatched: .discard)
        house.take(
            "e.jsonl",
            [event("shop.A", "1"), event("x", "2"), event("y", "3")].joined(separator: "\n"))
        #expect(house.sealed("orders") == event("shop.A", "1") + "\n")
        #expect(house.tree.names("quarantine") == [])
        let discarded = house.reports.compactMap { report -> String? in
            if case .discarded(let events, let file) = report {
                "\(events) of \(file)"
            } else {
                nil
            }
        }
        #expect(discarded == ["2 of incoming/e.jsonl"])
    }

    // MARK: Refused lines

    @Test func `Refused lines lie in one file with line, offset, reason and bytes`() throws {
        let house = try SpoolHouse()
        let bad: [[UInt8]] = [
            Array("no json".utf8), Array("{\"a\":\"".utf8) + [0xff, 0xfe] + Array("\"}".utf8),
            Array("{\"event_type\":\"a\",}".utf8), Array("[1]".utf8),
        ]
        var text = Array(event("a", "1").utf8) + [0x0a]
        for line in bad { text += [0x20] + line + [0x0d, 0x0a, 0x0a] }
        text += Array(event("a", "2").utf8)
        house.take("all/two words.jsonl", text)
        #expect(house.sealed() == event("a", "1") + "\n" + event("a", "2") + "\n")
        let name = try #require(house.tree.names("quarantine").first)
        #expect(name.hasSuffix(".rejects") && house.tree.names("quarantine").count == 1)
        let reasons = [
            "not a JSON object", "invalid UTF-8 at byte 8 of the line",
            "invalid JSON at byte 20 of the line",
            "not a JSON object",
        ]
        let accepted = Timestamp(unixSeconds: house.now).extended
        let head =
            "{\"rejects\":1,\"file\":\"incoming/all/two%20words.jsonl\",\"accepted\":\"\(accepted)\"}\n"
        var expected = Array(head.utf8)
        var offset = event("a", "1").utf8.count + 1
        for (index, line) in bad.enumerated() {
            // The carriage return at the end is a part of what was refused.
            let bytes = line + [0x0d]
            let entry =
                "{\"line\":\(2 * index + 2),\"offset\":\(offset + 1),"
                + "\"reason\":\"\(reasons[index])\",\"bytes\":\(bytes.count)}\n"
            expected += Array(entry.utf8)
            expected += bytes + [0x0a]
            offset += bytes.count + 3
        }
        #expect(house.tree.contents("quarantine/\(name)") == expected)
        #expect(house.eventsRefusals.map(\.refused) == [4])
        #expect(house.tree.names("active") == [])
    }

    @Test(arguments: [(1, "x"), (99, "x"), (100, "x"), (5000, "[]"), (3, "{\"a\"")])
    func `A file with no event at all goes to quarantine whole`(lines: Int, line: String) throws {
        let house = try SpoolHouse()
        let text = String(repeating: "\(line)\n\n", count: lines)
        house.take("e.jsonl", text)
        #expect(house.quarantined("-e.jsonl") == text)
        #expect(house.tree.names("quarantine").count == 2)
        let first = line == "{\"a\"" ? "invalid JSON at byte 5 of the line" : "not a JSON object"
        let looked = 2 * min(lines, 100) - (lines < 100 ? 0 : 1)
        let reason = "no event in its first \(looked) lines; line 1: \(first)"
        #expect(house.fileRefusals.map(\.reason) == [reason])
        #expect(house.quarantined(".reason")?.contains("reason: \(reason)\n") == true)
        #expect(house.tree.names("active") == [])
        #expect(house.activity.isEmpty)
    }

    @Test func `A file whose only line is no event says so`() throws {
        let house = try SpoolHouse()
        house.take("e.jsonl", "x\n")
        let reason = "its only line is no event: not a JSON object"
        #expect(house.fileRefusals.map(\.reason) == [reason])
    }

    @Test func `One event among the first hundred lines, and the others are refused one by one`()
        throws
    {
        let house = try SpoolHouse()
        let bad = String(repeating: "x\n", count: 99)
        house.take("e.jsonl", bad + event("a", "1") + "\n" + bad + bad)
        #expect(house.sealed() == event("a", "1") + "\n")
        #expect(rejects(house).count == 2 * 3 * 99)
        #expect(
            house.eventsRefusals.map { "\($0.refused) \($0.accepted) \($0.firstLine)" } == [
                "297 1 1"
            ])
        // A hundred bad lines first, and nobody looks for the event.
        house.take("f.jsonl", bad + "x\n" + event("a", "2") + "\n")
        #expect(house.sealed() == event("a", "1") + "\n")
        #expect(house.quarantined("-f.jsonl")?.hasSuffix(event("a", "2") + "\n") == true)
    }

    @Test func `A line of more than 900,000 bytes is refused with its bytes`() throws {
        let house = try SpoolHouse()
        let long = event("a", String(repeating: "x", count: 900_000))
        house.take("e.jsonl", "\(event("a", "1"))\n\(long)\n\(event("a", "2"))\n")
        #expect(house.sealed() == "\(event("a", "1"))\n\(event("a", "2"))\n")
        #expect(rejects(house).last == long)
        #expect(house.eventsRefusals.map(\.firstReason) == ["longer than 900000 bytes"])
    }

    @Test func `A line too long to hold is named, and its file is kept beside`() throws {
        let house = try SpoolHouse()
        let text =
            "\(event("a", "1"))\n{\"x\":\"" + String(repeating: "x", count: 3 << 20)
            + "\"}\n\(event("a", "2"))\n"
        house.take("e.jsonl", text)
        #expect(house.sealed() == "\(event("a", "1"))\n\(event("a", "2"))\n")
        #expect(
            rejects(house) == [
                "{\"line\":2,\"offset\":\(event("a", "1").utf8.count + 1),\"reason\":"
                    + "\"longer than 900000 bytes; the whole file is kept beside this one\",\"bytes\":0}"
            ])
        #expect(house.quarantined("-e.jsonl") == text)
        #expect(house.fileRefusals.map(\.reason) == ["line 2 is longer than 900000 bytes"])
        #expect(house.tree.names("active") == [])
    }
}
