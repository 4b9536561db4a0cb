import Avro
import Batching
import Files
import Model
import Support
import Testing

@testable import Spool

/// Events on their way into Avro objects.
@Suite struct AvroTests {
    private static let order = #"""
        {"type": "record", "name": "Order", "namespace": "shop", "schema_id": 77, "fields": [
         {"name": "id", "type": "string"}, {"name": "amount", "type": "long"},
         {"name": "note", "type": ["null", "string"], "default": null}]}
        """#

    private static func schemas(_ text: String = order) throws -> SchemaSet {
        SchemaSet(["shop.Order": try AvroSchema(json: Array(text.utf8))])
    }

    private static func avro(
        _ name: String, _ change: (inout ConnectorSettings) -> Void = { _ in }
    ) -> Routing.Connector {
        connector(name) {
            $0.format = .avro(.deflate)
            change(&$0)
        }
    }

    private static func event(_ number: Int, _ more: String = "") -> String {
        #"{"event_type":"shop.Order","amount":\#(number),"id":"o\#(number)"\#(more)}"#
    }

    private func text(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

    /// The events of a container as JSON lines, and its metadata.
    private func read(_ bytes: [UInt8]) throws -> (lines: [String], metadata: [String: String]) {
        var rest: [UInt8]? = bytes
        var reader = try ContainerReader { () throws(ContainerReader.Unreadable) in
            rest.take() ?? []
        }
        let decoder = EventDecoder(try AvroSchema(json: Array(reader.schema.utf8)))
        let metadata = Dictionary(
            uniqueKeysWithValues: reader.metadata.map {
                ($0.name, String(decoding: $0.value, as: UTF8.self))
            })
        var lines: [String] = []
        while let block = try reader.nextBlock() {
            var position = 0
            for _ in 0..<block.count {
                var line: [UInt8] = []
                position = try decoder.decode(block.data, at: position, into: &line)
                lines.append(String(decoding: line, as: UTF8.self))
            }
            #expect(position == block.data.count)
        }
        return (lines, metadata)
    }

    private func objects(
        _ house: SpoolHouse, _ connector: String
    ) throws -> [(lines: [String], metadata: [String: String])] {
        try house.envelopes(connector).map { try read(house.tree.contents($0.objectPath) ?? []) }
    }

    @Test(arguments: [ObjectFormat.AvroCompression.deflate, .zstandard, .none])
    func `Events become the records of a container`(
        compression: ObjectFormat.AvroCompression
    ) throws {
        let house = try SpoolHouse(
            [Self.avro("all") { $0.format = .avro(compression) }], schemas: Self.schemas())
        house.take(
            "e.jsonl", text([Self.event(1), Self.event(2, #","note":"é","unknown":[1]"#)]))
        let object = try #require(try objects(house, "all").first)
        #expect(
            object.lines == [
                #"{"id":"o1","amount":1,"note":null}"#, #"{"id":"o2","amount":2,"note":"é"}"#,
            ])
        #expect(object.metadata["sluice.connector"] == "all")
        #expect(object.metadata["sluice.zone"] == "z")
        let envelope = try #require(house.envelopes("all").first)
        #expect(envelope.schemaID == 77)
        #expect(envelope.events == 2)
        #expect(envelope.contentType == "application/avro")
        #expect(envelope.key.contains("/77/") && envelope.key.hasSuffix(".avro"))
    }

    @Test func `Members that the schema does not have are counted and named`() throws {
        let house = try SpoolHouse([Self.avro("all")], schemas: Self.schemas())
        house.take(
            "e.jsonl",
            text([Self.event(1), Self.event(2, #","x":1,"y":2"#), Self.event(3, #","y":2"#)]))
        let ignored = house.reports.compactMap { report -> [IgnoredMembers]? in
            if case .membersIgnored(let ignored, _) = report { ignored } else { nil }
        }
        #expect(ignored == [[IgnoredMembers(eventType: "shop.Order", count: 3, first: "x")]])
    }

    @Test func `What a schema refuses goes to quarantine for its connector alone`() throws {
        let house = try SpoolHouse(
            [Self.avro("avro"), connector("lines")], schemas: Self.schemas())
        let bad = #"{"event_type":"shop.Order","id":"o2","amount":"many"}"#
        house.take("e.jsonl", text([Self.event(1), bad, Self.event(3)]))
        #expect(try objects(house, "avro").map(\.lines.count) == [2])
        #expect(house.sealed("lines") == text([Self.event(1), bad, Self.event(3)]))
        let rejects = try #require(house.quarantined(".rejects"))
        #expect(rejects.contains("\"connector\":\"avro\""))
        #expect(rejects.contains("amount"))
        #expect(rejects.contains(bad))
    }

    @Test func `What is read again after a crash is refused and encoded as before`() throws {
        let house = try SpoolHouse(
            [Self.avro("avro") { $0.batch.maxEvents = 2 }], schemas: Self.schemas())
        let bad = "{\"event_type\":\"shop.Order\"}"
        let events = [Self.event(1), bad] + (2..<6).map { Self.event($0) }
        house.tree.write("incoming/e.jsonl", text(events))
        house.scan()
        // Two batches are full and sealed; the rest is open when the process ends.
        #expect(house.envelopes("avro").count == 2)
        let first = house.envelopes("avro").map { house.tree.contents($0.objectPath) }
        house.start()
        house.run()
        house.flush()
        #expect(try objects(house, "avro").map(\.lines.count) == [2, 2, 1])
        #expect(
            house.envelopes("avro").prefix(2).map { house.tree.contents($0.objectPath) } == first)
        let rejects = try #require(house.quarantined(".rejects"))
        #expect(rejects.split(separator: "\n").count { $0.hasPrefix("{\"line\"") } == 1)
    }

    @Test func `An object that is made again has the same bytes`() throws {
        let make = {
            let house = try SpoolHouse([Self.avro("all")], schemas: Self.schemas())
            house.take("e.jsonl", text((0..<500).map { Self.event($0) }))
            return house.envelopes("all").map { house.tree.contents($0.objectPath) }
        }
        let (one, other) = (try make(), try make())
        #expect(one == other)
        #expect(one.count == 1)
    }

    @Test func `A changed schema begins new batches, and both say which is theirs`() throws {
        let house = try SpoolHouse([Self.avro("all")], schemas: Self.schemas())
        house.tree.write("incoming/a.jsonl", text([Self.event(1)]))
        house.scan()
        let wider = Self.order.replacing(
            "\"schema_id\": 77", with: "\"schema_id\": 78"
        ).replacing(
            "]}", with: #", {"name": "more", "type": ["null", "int"], "default": null}]}"#)
        house.routing = SpoolHouse.routing(
            [Self.avro("all")], .quarantine, try Self.schemas(wider))
        house.spool?.change(to: house.routing)
        house.run()
        house.take("b.jsonl", text([Self.event(2, #","more":5"#)]))
        #expect(house.envelopes("all").map(\.schemaID) == [77, 78])
        let lines = try objects(house, "all").flatMap(\.lines)
        #expect(
            lines == [
                #"{"id":"o1","amount":1,"note":null}"#,
                #"{"id":"o2","amount":2,"note":null,"more":5}"#,
            ])
        // Both IDs are taken from now on.
        let used = try Spool.readUsedSchemas(house.files)
        let third = try Self.schemas(Self.order.replacing("amount", with: "sum"))
        #expect(used.conflicts(with: third) == ["shop.Order"])
        #expect(used.conflicts(with: house.routing.schemas) == [])
    }

    @Test func `Transforms change lines, and leave the rest of each as it is`() throws {
        let house = try SpoolHouse([
            connector("all") { $0.transforms = Transforms(["id": .remove, "amount": .hash]) }
        ])
        house.take(
            "e.jsonl", text([#"{ "event_type":"a", "id" : "secret","amount":1,"b":[ 1 ] }"#]))
        let one = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
        #expect(
            house.sealed()
                == #"{ "event_type":"a", "id" : "[REDACTED]","amount":"\#(one)","b":[ 1 ] }"# + "\n"
        )
    }
}
