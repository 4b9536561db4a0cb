import Model
import Testing

@testable import Encoding

struct ResponseDocumentTests {
    struct Case: Sendable {
        var text: String
        var expected: ResponseDocument?

        init(_ text: String, _ expected: ResponseDocument?) {
            self.text = text
            self.expected = expected
        }
    }

    static let documents: [Case] = [
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
        Case(
            "<InitiateMultipartUploadResult xmlns=\"u\"><Key>k</Key><UploadId>a~/+=&amp;</UploadId>"
                + "</InitiateMultipartUploadResult>",
            .init(uploadID: "a~/+=&")),
        Case(
            "<InitiateMultipartUploadResult><UploadId>a b</UploadId></InitiateMultipartUploadResult>",
            nil),
        Case(
            "\n \n<CompleteMultipartUploadResult><ETag>&quot;1-2&quot;</ETag>"
                + "</CompleteMultipartUploadResult>",
            .init(entityTag: "\"1-2\"", isCompletion: true)),
        Case(
            "<CompleteMultipartUploadResponse><ETag>1</ETag></CompleteMultipartUploadResponse>",
            .init(entityTag: "1", isCompletion: true)),
        Case("<CompleteMultipartUploadResult><ETag>1</ETag><Key>cut", nil),
        Case("<Error><UploadId>u</UploadId><ETag>1</ETag><Code>A</Code></Error>", .init(code: "A")),
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

    @Test(
        "What is no request ID is not repeated to people",
        arguments: [
            ("4442587FB7D0A2F9", true), ("tx000-0a/b+c=", true), ("", false), ("a b", false),
            ("\u{1B}]0;x", false), ("é", false), (String(repeating: "7", count: 128), true),
            (String(repeating: "7", count: 129), false),
        ] as [(String, Bool)])
    func requestID(_ text: String, isOne: Bool) {
        #expect(ResponseDocument.requestID(text) == (isOne ? text : nil))
        let document = "<Error><Code>A</Code><RequestId>\(text)</RequestId></Error>"
        #expect(ResponseDocument(Array(document.utf8))?.requestID == (isOne ? text : nil))
    }

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

struct HTTPDateTests {
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
}
