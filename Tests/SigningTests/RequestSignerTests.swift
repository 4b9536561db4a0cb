import Digest
import Model
import Testing

@testable import Signing

/// An example of "Signature Calculations for the Authorization Header", Amazon S3 API Reference.
struct PublishedExample: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let request: UnsignedRequest
    let target: String
    let signedHeaders: String
    let signature: String

    private static let host = "examplebucket.s3.amazonaws.com"

    static let all = [
        PublishedExample(
            testDescription: "GET Object",
            request: UnsignedRequest(
                method: "GET", host: host, path: "/test.txt",
                headers: [Header("Range", "bytes=0-9")]),
            target: "/test.txt", signedHeaders: "host;range;x-amz-content-sha256;x-amz-date",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        PublishedExample(
            testDescription: "PUT Object",
            request: UnsignedRequest(
                method: "PUT", host: host, path: "/test$file.text",
                headers: [
                    Header("Date", "Fri, 24 May 2013 00:00:00 GMT"),
                    Header("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ],
                payload: .sha256(SHA256.digest(of: "Welcome to Amazon S3."))),
            target: "/test%24file.text",
            signedHeaders: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        PublishedExample(
            testDescription: "GET Bucket Lifecycle",
            request: UnsignedRequest(
                method: "GET", host: host, path: "/", query: [QueryItem("lifecycle")]),
            target: "/?lifecycle", signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        PublishedExample(
            testDescription: "Get Bucket (List Objects)",
            request: UnsignedRequest(
                method: "GET", host: host, path: "/",
                query: [QueryItem("prefix", "J"), QueryItem("max-keys", "2")]),
            target: "/?max-keys=2&prefix=J",
            signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]
}

@Suite struct RequestSignerTests {
    static let credentials = Credentials(
        accessKeyID: "AKIAIOSFODNN7EXAMPLE",
        secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
    static let time = Timestamp(unixSeconds: 1_369_353_600)
    static let get = UnsignedRequest(method: "GET", host: "h", path: "/k")

    static func signer(
        _ credentials: Credentials = credentials, _ service: SigningService = .s3
    ) -> RequestSigner {
        RequestSigner(credentials: credentials, region: "us-east-1", service: service)
    }

    @Test(
        "The examples that AWS publishes get the signatures that AWS publishes",
        arguments: PublishedExample.all)
    func publishedExamples(example: PublishedExample) {
        var signer = Self.signer()
        let signed = signer.sign(example.request, at: Self.time)
        #expect(signed.target == example.target)
        #expect(
            signed.value(of: "authorization")
                == "AWS4-HMAC-SHA256 "
                + "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + "SignedHeaders=\(example.signedHeaders), Signature=\(example.signature)")
    }

    @Test(
        "Random requests are signed as botocore signs them",
        .enabled(
            if: Oracle.isAvailable, "botocore is missing: set SLUICE_PYTHON to a Python with it"),
        arguments: [20_261_122, UInt32.random(in: 0...UInt32.max)])
    func oracle(seed: UInt32) throws {
        let count = 2000
        let cases = try #require(Oracle.cases(seed: seed, count: count))
        #expect(cases.count == count)
        for (number, expected) in cases.enumerated() {
            var signer = expected.signer
            let signed = signer.sign(expected.request, at: expected.time)
            let canonical = signer.canonicalRequest(for: expected.request, at: expected.time)
            let mark: Comment = "seed \(seed), request \(number)"
            let agrees =
                canonical.text == expected.canonicalRequest
                && signed.value(of: "authorization") == expected.authorization
                && signed.path == expected.path
            if !agrees {
                #expect(canonical.text == expected.canonicalRequest, mark)
                #expect(signed.value(of: "authorization") == expected.authorization, mark)
                #expect(signed.path == expected.path, mark)
                return
            }
        }
    }

    @Test(
        "A key's segments are encoded once and stay as they are",
        arguments: [
            ("/a=b+c", "/a%3Db%2Bc"), ("/a//b/", "/a//b/"), ("//a", "//a"),
            ("/./a/../b", "/./a/../b"),
            ("/%41 ~", "/%2541%20~"), ("/ä", "/%C3%A4"), ("/a?b#c", "/a%3Fb%23c"),
            ("/\u{0}\r\n", "/%00%0D%0A"),
        ])
    func keys(path: String, target: String) {
        var signer = Self.signer()
        var request = Self.get
        request.path = path
        #expect(signer.sign(request, at: Self.time).target == target)
    }

    @Test("Exactly the headers that are sent are signed, and authorization comes on top")
    func sentHeaders() {
        var credentials = Self.credentials
        credentials.sessionToken = Secret(" tok\ten\r\n")
        var signer = Self.signer(credentials)
        var request = Self.get
        request.headers = [Header("X-Amz-Acl", " a \t b\r\nx: y "), Header("range", "bytes=0-1")]
        let signed = signer.sign(request, at: Self.time)
        #expect(
            signed.headers.dropLast() == [
                Header("host", "h"), Header("range", "bytes=0-1"),
                Header("x-amz-acl", "a b x: y"),
                Header("x-amz-content-sha256", Payload.empty.text),
                Header("x-amz-date", "20130524T000000Z"),
                Header("x-amz-security-token", .secret(Secret("tok en"))),
            ])
        let names = signed.headers.dropLast().map(\.name).joined(separator: ";")
        #expect(signed.headers.last?.name == "authorization")
        #expect(signed.value(of: "authorization")?.contains("SignedHeaders=\(names),") == true)
    }

    @Test("Headers that signing makes replace the caller's")
    func replacedHeaders() {
        var signer = Self.signer()
        var request = Self.get
        let expected = signer.sign(request, at: Self.time)
        request.headers = [
            Header("Host", "evil"), Header("X-Amz-Date", "x"), Header("Authorization", "x"),
            Header("x-amz-content-sha256", "x"), Header("X-Amz-Security-Token", "x"),
        ]
        #expect(signer.sign(request, at: Self.time) == expected)
    }

    @Test("Other services get no header with the payload's digest")
    func otherService() {
        var signer = Self.signer(Self.credentials, .other("sts"))
        let signed = signer.sign(Self.get, at: Self.time)
        #expect(signed.headers.map(\.name) == ["host", "x-amz-date", "authorization"])
    }

    @Test("A signer that has signed on another day signs like a new one")
    func keptKey() {
        var used = Self.signer()
        let days = [0, 86_399, 86_400, 0].map { Timestamp(unixSeconds: 1_369_353_600 + $0) }
        for day in days {
            var fresh = Self.signer()
            #expect(used.sign(Self.get, at: day) == fresh.sign(Self.get, at: day))
        }
    }

    @Test("Printing credentials shows the key ID and no secret")
    func printing() {
        var credentials = Self.credentials
        credentials.sessionToken = Secret("TOKEN")
        var dumped = ""
        dump(credentials, to: &dumped)
        var signer = Self.signer(credentials)
        dump(signer, to: &dumped)
        dump(signer.sign(Self.get, at: Self.time), to: &dumped)
        dump(signer.canonicalRequest(for: Self.get, at: Self.time), to: &dumped)
        let printed = "\(credentials) \(String(reflecting: credentials))" + dumped
        #expect(printed.contains("AKIAIOSFODNN7EXAMPLE"))
        #expect(!printed.contains("wJalr"))
        #expect(!printed.contains("TOKEN"))
    }
}

extension SignedRequest {
    func value(of name: String) -> String? {
        headers.first { $0.name == name }?.value.plainText
    }

    var path: String {
        String(target.prefix { $0 != "?" })
    }
}

extension CanonicalRequest {
    var text: String {
        String(decoding: pieces.flatMap { $0.withUnsafeBytes { Array($0) } }, as: UTF8.self)
    }
}
