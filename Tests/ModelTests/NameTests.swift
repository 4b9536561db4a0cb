import Model
import Testing

@Suite struct ConnectorNameTests {
    @Test(
        "Names of lower-case letters, digits and hyphens",
        arguments: ["a", "0", "orders", "a-b", "9-", String(repeating: "x", count: 63)])
    func valid(name: String) {
        #expect(ConnectorName(name)?.description == name)
    }

    @Test(
        "Whatever cannot name a directory everywhere is refused",
        arguments: [
            "", "-a", "A", "a_b", "a.b", "a b", "a/b", "é", "..", String(repeating: "x", count: 64),
        ])
    func invalid(name: String) {
        #expect(ConnectorName(name) == nil)
    }
}

@Suite struct ObjectKeyTests {
    let key = ObjectKey(
        folder: "currents", cluster: "prod-01", integrationID: "5d4a0c1f2b3e4d5f6a7b8c9d",
        zone: "eu-1", partition: 3, schemaID: 0)

    @Test(
        "A key can be moved to another zone, partition and offset",
        arguments: ["currents", "", "a/b"])
    func moving(folder: String) {
        var (from, to) = (key, key)
        (from.folder, to.folder) = (folder, folder)
        // A plus sign may stand in what comes before.
        (from.cluster, to.cluster) = ("prod+01", "prod+01")
        (to.zone, to.partition) = ("us-2", 17)
        let hour = Hour(unixSeconds: 1_795_369_980)
        for suffix in [".jsonl.gz", ".avro", ""] {
            let old = from.text(eventType: "a.b", hour: hour, offset: 12, suffix: suffix)
            #expect(
                ObjectKey.moved(old, zone: "us-2", partition: 17, offset: 9_000_000)
                    == to.text(eventType: "a.b", hour: hour, offset: 9_000_000, suffix: suffix))
        }
    }

    @Test(
        "What is not in the layout, or would be too long, is not moved",
        arguments: [
            "", "/", "a/b/c/d/e/f", "a/b/c/d/e/f+1", "a/b/c/d/e/f+1+x",
            String(repeating: "x", count: 1000) + "/b/c/d/e/f+1+2",
        ])
    func unmovable(key: String) {
        #expect(
            ObjectKey.moved(key, zone: String(repeating: "z", count: 30), partition: 1, offset: 1)
                == nil)
    }

    @Test("A key has the layout of Currents")
    func layout() {
        let text = key.text(
            eventType: "users.messages.email.Send", hour: Hour(unixSeconds: 1_795_369_980),
            offset: 42,
            suffix: ".jsonl.gz")
        #expect(
            text == "currents/dataexport.prod-01.S3.integration.5d4a0c1f2b3e4d5f6a7b8c9d"
                + "/event_type=users.messages.email.Send/date=2026-11-22-17/0/eu-1"
                + "/dataexport.prod-01.S3.integration.5d4a0c1f2b3e4d5f6a7b8c9d+3+42.jsonl.gz")
    }

    @Test("Without a folder a key does not begin with a slash")
    func root() {
        var key = key
        key.folder = ""
        let text = key.text(eventType: "a", hour: Hour(unixSeconds: 0), offset: 0, suffix: ".avro")
        #expect(text.hasPrefix("dataexport.prod-01."))
    }

    @Test(
        "A suffix and a content type say what is in the body",
        arguments: [
            (ObjectFormat.jsonl(.gzip), ".jsonl.gz", "application/gzip"),
            (ObjectFormat.jsonl(.zstd), ".jsonl.zst", "application/zstd"),
            (ObjectFormat.jsonl(.none), ".jsonl", "application/x-ndjson"),
        ])
    func format(format: ObjectFormat, suffix: String, contentType: String) {
        #expect(format.suffix == suffix)
        #expect(format.contentType == contentType)
    }
}

@Suite struct AddressingTests {
    @Test(
        "Amazon's buckets without dots are addressed by host name, all others by path",
        arguments: [
            ("acme", nil, nil, .virtual), ("acme.events", nil, nil, .path),
            ("acme", "https://s3.example.com", nil, .path), ("acme", nil, .path, .path),
            ("acme", "https://s3.example.com", .virtual, .virtual),
        ]
            as [(
                String, String?, ConnectorSettings.Addressing?, ConnectorSettings.Addressing
            )])
    func addressing(
        bucket: String, endpoint: String?, configured: ConnectorSettings.Addressing?,
        expected: ConnectorSettings.Addressing
    ) throws {
        let name = try #require(ConnectorName("a"))
        var connector = ConnectorSettings(name: name, bucket: bucket, integrationID: "i")
        connector.endpoint = endpoint
        connector.addressing = configured
        #expect(connector.addressingInUse == expected)
    }
}
