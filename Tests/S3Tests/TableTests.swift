import Model
import Support
import Testing

@testable import S3

struct EndpointTests {
    nonisolated struct Case: Sendable {
        var bucket = "events"
        var region = "eu-west-1"
        var endpoint: String?
        var addressing: ConnectorSettings.Addressing?
        var usesDualStack = false
        var usesFIPS = false
        var url: String
    }

    nonisolated static let cases = [
        Case(url: "https://events.s3.eu-west-1.amazonaws.com/k"),
        Case(addressing: .path, url: "https://s3.eu-west-1.amazonaws.com/events/k"),
        Case(bucket: "a.b", url: "https://s3.eu-west-1.amazonaws.com/a.b/k"),
        Case(bucket: "a.b", addressing: .virtual, url: "https://a.b.s3.eu-west-1.amazonaws.com/k"),
        Case(bucket: "Old", url: "https://s3.eu-west-1.amazonaws.com/Old/k"),
        Case(region: "cn-north-1", url: "https://events.s3.cn-north-1.amazonaws.com.cn/k"),
        Case(
            usesDualStack: true, url: "https://events.s3.dualstack.eu-west-1.amazonaws.com/k"),
        Case(
            region: "us-east-2", usesFIPS: true,
            url: "https://events.s3-fips.us-east-2.amazonaws.com/k"),
        Case(
            bucket: "a.b", region: "us-gov-west-1", usesDualStack: true, usesFIPS: true,
            url: "https://s3-fips.dualstack.us-gov-west-1.amazonaws.com/a.b/k"),
        Case(
            region: "cn-north-1", usesDualStack: true,
            url: "https://events.s3.dualstack.cn-north-1.amazonaws.com.cn/k"),
        Case(region: "us-gov-west-1", url: "https://events.s3.us-gov-west-1.amazonaws.com/k"),
        Case(region: "us-iso-east-1", url: "https://events.s3.us-iso-east-1.c2s.ic.gov/k"),
        Case(endpoint: "http://127.0.0.1:9000", url: "http://127.0.0.1:9000/events/k"),
        Case(endpoint: "https://Store.example:443/", url: "https://store.example/events/k"),
        Case(endpoint: "http://store.example:80", url: "http://store.example/events/k"),
        Case(endpoint: "http://store.example:443", url: "http://store.example:443/events/k"),
        Case(endpoint: "https://[::1]:9000", url: "https://[::1]:9000/events/k"),
        Case(
            endpoint: "https://store.example:8443", addressing: .virtual,
            url: "https://events.store.example:8443/k"),
    ]

    @Test(
        "Nobody can change what goes by TLS, or stays on this machine",
        arguments: [
            (nil, true), ("https://s3.example:9000", true), ("http://127.0.0.1:9000", true),
            ("http://localhost:9000", true), ("http://[::1]:9000", true),
            ("http://a.localhost", true),
            ("http://10.0.0.1:9000", false), ("http://127.example", false),
            ("http://localhost.example", false),
        ] as [(String?, Bool)])
    func privacy(endpoint: String?, isPrivate: Bool) {
        var settings = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: "acme", integrationID: "x")
        settings.endpoint = endpoint
        #expect(Endpoint(settings, region: "eu-west-1").isPrivate == isPrivate)
    }

    @Test("A bucket is reached at the right address", arguments: cases)
    func address(_ row: Case) {
        var settings = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: row.bucket, integrationID: "i")
        settings.endpoint = row.endpoint
        settings.addressing = row.addressing
        settings.usesDualStack = row.usesDualStack
        settings.usesFIPS = row.usesFIPS
        let endpoint = Endpoint(settings, region: row.region)
        #expect("\(endpoint.scheme)://\(endpoint.host)\(endpoint.path("k"))" == row.url)
    }

    @Test(
        "The variants of each partition are those of botocore",
        .enabled(if: EndpointOracle.isAvailable))
    func variants() throws {
        let lines = try #require(EndpointOracle.lines(service: "s3"))
        #expect(lines.count > 40)
        for line in lines {
            var settings = ConnectorSettings(
                name: ConnectorName("orders")!, bucket: "events", integrationID: "i")
            (settings.usesDualStack, settings.usesFIPS) = (line.dualStack, line.fips)
            let endpoint = Endpoint(settings, region: line.region)
            #expect("\(endpoint.scheme)://\(endpoint.host)" == line.origin)
        }
    }

    @Test("The bucket itself has a path, too")
    func bucket() {
        let settings = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: "events", integrationID: "i")
        #expect(Endpoint(settings, region: "eu-west-1").path(nil) == "/")
        let lookup = Endpoint(lookupFor: settings)
        #expect(lookup.host + lookup.path(nil) == "s3.us-east-1.amazonaws.com/events")
    }

    @Test(
        "What is no region does not come into a host name",
        arguments: ["", "eu.west", "evil.com/", "EU", "a b", String(repeating: "a", count: 41)])
    func region(_ text: String) {
        #expect(!Partition.isRegion(text))
    }
}

struct HeaderValueTests {
    @Test(
        "A CRC-32 is written in Base64",
        arguments: [(0xCBF4_3926, "y/Q5Jg=="), (0, "AAAAAA=="), (0xFFFF_FFFF, "/////w==")]
            as [(UInt32, String)])
    func base64(_ crc32: UInt32, _ expected: String) {
        #expect(ObjectUpload.base64(crc32) == expected)
    }
}
