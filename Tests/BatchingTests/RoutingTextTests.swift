import Batching
import Model
import Testing

/// The text in which the routing in effect is kept.
@Suite struct RoutingTextTests {
    private static func rich() -> Routing {
        var plain = connector("plain", [], folder: "")
        plain.format = .jsonl(.none)
        plain.limits.maxEvents = 1
        plain.limits.maxAge = .milliseconds(1500)
        plain.limits.maxBytes = ByteCount(12_345)
        var packed = connector("packed", ["*"])
        packed.format = .avro(.zstandard)
        packed.compressionLevel = 19
        return routing(
            [
                packed,
                connector(
                    "a", ["*", "x.*"], defaultType: "log.line", folder: "deep/folder with: colon"),
                plain,
                connector("z", ["a.b"], folder: "line\nbreak\r\\n \u{301}ä/\u{1F680}"),
            ], unmatched: .discard)
    }

    private func read(_ bytes: [UInt8]) throws -> Routing {
        try Routing(CheckedText(bytes, kind: "routing"))
    }

    @Test func `A routing comes back as it was`() throws {
        for routing in [Self.rich(), routing([]), routing([connector("only")])] {
            #expect(try read(routing.text.bytes) == routing)
        }
    }

    @Test func `Its text is for people too`() {
        let text = String(
            decoding: routing([connector("orders", ["shop.*"])]).text.bytes, as: UTF8.self)
        #expect(
            text.hasPrefix(
                """
                sluice routing 1
                cluster: prod-01
                zone: eu-1
                partition: 7
                unmatched: quarantine
                connector: orders
                folder: f
                integration-id: orders-id
                events: shop.*
                format: jsonl-gzip
                max-events: 15000
                max-age-milliseconds: 300000
                max-bytes: 67108864
                checksum: 
                """))
    }

    @Test func `Any cut and any changed byte is noticed`() {
        let bytes = Self.rich().text.bytes
        for count in 0..<bytes.count {
            #expect(throws: CheckedText.Fault.self, "\(count) bytes") {
                try read(Array(bytes[..<count]))
            }
        }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(throws: CheckedText.Fault.self, "byte \(index)") { try read(changed) }
        }
    }

    @Test(arguments: [
        ("unmatched", "keep"), ("partition", "x"), ("connector", "No Name"), ("events", "a b"),
        ("format", "xml"), ("compression-level", "20"), ("max-events", "-1"),
        ("max-age-milliseconds", ""),
        ("max-bytes", "1e3"),
        ("surprise", "x"),
    ])
    func `A whole text with a value that means nothing is damaged`(key: String, value: String) {
        var text = CheckedText(kind: "routing")
        for line in Self.rich().text.lines {
            text.add(line.key, line.key == key ? value : line.value)
        }
        if key == "surprise" { text.add(key, value) }
        let fault = #expect(throws: CheckedText.Fault.self) { try read(text.bytes) }
        guard case .damaged = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
    }

    @Test(arguments: ["cluster", "zone", "partition", "unmatched"])
    func `A text without one of its values is named by it`(key: String) {
        var text = CheckedText(kind: "routing")
        for line in Self.rich().text.lines where line.key != key { text.add(line.key, line.value) }
        #expect(throws: CheckedText.Fault.missing(key: key)) { try read(text.bytes) }
    }
}
