import Digest
import Model
import Signing
import Testing

@testable import S3

struct EndpointTests {
    nonisolated struct Case: Sendable {
        var bucket = "events"
        var region = "eu-west-1"
        var endpoint: String?
        var addressing: ConnectorSettings.Addressing?
        var url: String
    }

    nonisolated static let cases = [
        Case(url: "https://events.s3.eu-west-1.amazonaws.com/k"),
        Case(addressing: .path, url: "https://s3.eu-west-1.amazonaws.com/events/k"),
        Case(bucket: "a.b", url: "https://s3.eu-west-1.amazonaws.com/a.b/k"),
        Case(bucket: "a.b", addressing: .virtual, url: "https://a.b.s3.eu-west-1.amazonaws.com/k"),
        Case(bucket: "Old", url: "https://s3.eu-west-1.amazonaws.com/Old/k"),
        Case(region: "cn-north-1", url: "https://events.s3.cn-north-1.amazonaws.com.cn/k"),
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

    @Test("A bucket is reached at the right address", arguments: cases)
    func address(_ row: Case) {
        var settings = ConnectorSettings(
            name: ConnectorName("orders")!, bucket: row.bucket, integrationID: "i")
        settings.endpoint = row.endpoint
        settings.addressing = row.addressing
        let endpoint = Endpoint(settings, region: row.region)
        #expect("\(endpoint.scheme)://\(endpoint.host)\(endpoint.path("k"))" == row.url)
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
        #expect(!Endpoint.isRegion(text))
    }
}

struct ResponseDocumentTests {
    nonisolated struct Case: Sendable {
        var text: String
        var expected: ResponseDocument?

        init(_ text: String, _ expected: ResponseDocument?) {
            self.text = text
            self.expected = expected
        }
    }

    nonisolated static let documents: [Case] = [
        Case(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>AccessDenied</Code><Message>Access &lt;Denied&gt; &#x41;&#66;</Message>\
            <RequestId>4442587FB7D0A2F9</RequestId></Error>
            """,
            .init(
                code: "AccessDenied", message: "Access <Denied> AB", requestID: "4442587FB7D0A2F9")
        ),
        Case(
            "<s:Error xmlns:s='urn:x>y'><s:Code a=\"/>\">SlowDown</s:Code></s:Error>",
            .init(code: "SlowDown")
        ),
        Case(
            "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code></Error>"
                + "<RequestId>r</RequestId></ErrorResponse>",
            .init(code: "InvalidClientTokenId", requestID: "r")
        ),
        Case(
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
            .init(code: "AuthorizationHeaderMalformed", region: "eu-west-1")
        ),
        Case(
            "<Error><!-- <Code>X</Code> --><Code><![CDATA[A]]>B</Code></Error>", .init(code: "AB")),
        Case("<Error><Code>A</Code><Code>B</Code></Error>", .init(code: "A")),
        Case("<Error><Code>SlowDown</Code> cut off", .init(code: "SlowDown")),
        Case(
            "<Error><Detail><Code>Inner</Code></Detail><Code>Outer</Code></Error>",
            .init(code: "Outer")),
        Case(
            "<LocationConstraint xmlns=\"u\">eu-west-3</LocationConstraint>",
            .init(location: "eu-west-3")),
        Case("<LocationConstraint/>", .init(location: "us-east-1")),
        Case("<LocationConstraint></LocationConstraint>", .init(location: "us-east-1")),
        Case("<LocationConstraint>EU</LocationConstraint>", .init(location: "eu-west-1")),
        Case("<LocationConstraint>evil.com/</LocationConstraint>", nil),
        Case("<html><Error><Code>AccessDenied</Code></Error></html>", nil),
        Case("<Error><Code>not a code</Code></Error>", nil),
        Case("<Error><Code>A&unknown;</Code></Error>", nil),
        Case("<Error><Code>A</Message></Error>", nil),
        Case("<!DOCTYPE x [<!ENTITY a \"b\">]><Error><Code>A</Code></Error>", nil),
        Case(String(repeating: "<Error>", count: 100_000), nil),
        Case(String(repeating: "\n", count: 100_000), nil),
        Case("{\"code\": \"AccessDenied\"}", nil), Case("", nil), Case("<", nil),
        Case("<Error", nil),
    ]

    @Test("Documents are read as far as they are S3's", arguments: documents)
    func read(_ row: Case) {
        #expect(ResponseDocument(Array(row.text.utf8)) == row.expected)
    }

    @Test("No damage to a document stops the program or makes another code of it")
    func damaged() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        let texts = Self.documents.map { Array($0.text.utf8.prefix(400)) }.filter { !$0.isEmpty }
        for _ in 0..<20_000 {
            guard var bytes = texts.randomElement(using: &random) else { return }
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = bytes.indices.randomElement(using: &random)!
                switch Int.random(in: 0...2, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(index...)
                default: bytes.insert(contentsOf: "<>&;/".utf8.shuffled(using: &random), at: index)
                }
                if bytes.isEmpty { break }
            }
            let code = ResponseDocument(bytes)?.code
            #expect((code?.utf8.count ?? 1) <= 128, "seed \(seed)")
        }
    }

    struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}

struct HeaderValueTests {
    @Test(
        "Dates are read in the form that servers must send",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
            ("Wed, 30 Feb 2024 00:00:00 GMT", nil),
            ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 24:00:00 GMT", nil),
            ("", nil), ("Sun, 06 Nov 1994 08:49:37 PST", nil),
        ] as [(String, Int64?)])
    func date(_ text: String, _ expected: Int64?) {
        #expect(HTTPDate.timestamp(text)?.unixSeconds == expected)
    }

    @Test(
        "A CRC-32 is written in Base64",
        arguments: [(0xCBF4_3926, "y/Q5Jg=="), (0, "AAAAAA=="), (0xFFFF_FFFF, "/////w==")]
            as [(UInt32, String)])
    func base64(_ crc32: UInt32, _ expected: String) {
        #expect(ObjectUpload.base64(crc32) == expected)
    }
}

struct StaticKeysTests {
    @Test("Keys come from the environment")
    func environment() throws {
        let variables = ["AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s3cret"]
        let keys = StaticKeys(.environment, environment: { variables[$0] }) { _, _ in }
        let credentials = try #require(try get(keys)?.get())
        #expect(credentials == Credentials(accessKeyID: "AKID", secretAccessKey: Secret("s3cret")))
    }

    @Test(
        "The secret is the one line of its file",
        arguments: [
            ("s3cret\n", "s3cret"), ("  s3cret \r\n\n", "s3cret"), ("", nil), ("\n", nil),
            ("one\ntwo\n", nil), ("s\u{e9}cret", nil),
        ])
    func file(_ content: String, _ expected: String?) throws {
        let settings = CredentialSettings.keys(
            accessKeyID: "AKID", secretFile: "orders.secret", sessionTokenFile: nil)
        var paths: [String] = []
        let keys = StaticKeys(
            settings, environment: { $0 == "CREDENTIALS_DIRECTORY" ? "/run/c" : nil }
        ) { path, completion in
            paths.append(path)
            completion(.success(Secret(content)))
        }
        let secret = try? get(keys)?.get().secretAccessKey
        #expect(secret == expected.map { Secret($0) })
        _ = get(keys)
        // What was read is kept; what could not be used is read again.
        #expect(paths == Array(repeating: "/run/c/orders.secret", count: expected == nil ? 2 : 1))
        keys.forget()
        _ = get(keys)
        #expect(paths.count == (expected == nil ? 3 : 2))
    }

    @Test("A relative path without a directory of credentials is explained")
    func noDirectory() {
        let settings = CredentialSettings.keys(
            accessKeyID: "AKID", secretFile: "orders.secret", sessionTokenFile: nil)
        let keys = StaticKeys(settings, environment: { _ in nil }) { _, _ in }
        guard case .failure(.misconfigured(let text)) = get(keys) else {
            Issue.record("no failure")
            return
        }
        #expect(text.contains("\"orders.secret\"") && text.contains("LoadCredential="))
    }

    private func get(_ keys: StaticKeys) -> Result<Credentials, CredentialsUnavailable>? {
        var result: Result<Credentials, CredentialsUnavailable>?
        keys.credentials { result = $0 }
        return result
    }
}
