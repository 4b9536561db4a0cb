@testable import Configuration
import Model
import Testing

@Suite struct DestinationTests {
    @Test(
        "Names of buckets and aliases that S3 allows",
        arguments: [
            "abc", "acme-events", "acme.events", "0a0", String(repeating: "b", count: 63),
            "my-ap-abcdefghijklmnop1234567890abc-s3alias", "a--b", "1.2.3",
        ])
    func goodBucket(name: String) {
        #expect(BucketRules.fault(in: name) == nil)
    }

    @Test(
        "Other names are refused with the rule that they break",
        arguments: [
            ("", "\"\" is no bucket name: S3 wants 3 to 63 characters"),
            ("ab", "\"ab\" is no bucket name: S3 wants 3 to 63 characters"),
            ("Acme", "\"Acme\" is no bucket name: S3 allows a-z, 0-9, \".\" and \"-\""),
            ("a_b", "\"a_b\" is no bucket name: S3 allows a-z, 0-9, \".\" and \"-\""),
            ("-abc", "\"-abc\" is no bucket name: it must begin and end with a letter or digit"),
            ("abc.", "\"abc.\" is no bucket name: it must begin and end with a letter or digit"),
            ("a..b", "\"a..b\" is no bucket name: two dots may not stand side by side"),
            ("192.168.5.4", "\"192.168.5.4\" is no bucket name: it looks like an IP address"),
            (
                "xn--abc",
                "\"xn--abc\" is no bucket name: S3 reserves names that begin with \"xn--\""
            ),
            (
                "s3://acme/a",
                "\"s3://acme/a\" is not a bucket's name; write the name alone, and a path into \"folder\""
            ),
            (
                "arn:aws:s3:us-east-1:123456789012:accesspoint/a",
                "\"arn:aws:s3:us-east-1:123456789012:accesspoint/a\" is an ARN, which is not supported; "
                    + "name a general purpose bucket or an access point alias"
            ),
            (
                "fast--use1-az4--x-s3",
                "\"fast--use1-az4--x-s3\" is a directory bucket, which is not supported; "
                    + "name a general purpose bucket or an access point alias"
            ),
            (
                "my-ap-o01ac5d28a--op-s3",
                "\"my-ap-o01ac5d28a--op-s3\" is on S3 on Outposts, which is not supported; "
                    + "name a general purpose bucket or an access point alias"
            ),
        ])
    func badBucket(name: String, fault: String) {
        #expect(BucketRules.fault(in: name) == fault)
    }

    @Test("Folders of whole segments", arguments: ["", "a", "a/b", "a b/é", "...", "a/.b", "a=b"])
    func goodFolder(folder: String) {
        #expect(FolderRules.fault(in: folder) == nil)
    }

    @Test(
        "Folders that many tools would read as another one are refused",
        arguments: [
            ("/a", "\"/a\" must not begin or end with a slash"),
            ("a/", "\"a/\" must not begin or end with a slash"),
            ("/", "\"/\" must not begin or end with a slash"),
            ("a//b", "\"a//b\" has two slashes side by side"),
            ("a/../b", "\"a/../b\" has the segment \"..\", which many tools resolve"),
            (".", "\".\" has the segment \".\", which many tools resolve"),
            ("a\tb", "\"a\\u0009b\" has a control character"),
        ])
    func badFolder(folder: String, fault: String) {
        #expect(FolderRules.fault(in: folder) == fault)
    }

    @Test("A folder may be as long as S3's limit for keys allows, and not by one byte longer")
    func longFolder() {
        // "/dataexport.local.S3.integration.<24>/event_type=<128>/date=2026-11-22-17/4294967295/<64>/
        // dataexport.local.S3.integration.<24>+2147483647+18446744073709551615.jsonl.gz" has 390 bytes.
        let longest = 1024 - 390
        let fits = String(repeating: "f", count: longest)
        #expect(ConnectorProblemTests.problems("folder = \"\(fits)\"") == [])
        #expect(
            ConnectorProblemTests.problems("folder = \"\(fits)é\"") == [
                "folder: with it, keys may have 1,026 bytes, and S3 allows 1,024; shorten it by 2"
            ])
    }

    @Test(
        "Endpoints of a scheme, a host and perhaps a port",
        arguments: [
            "https://s3.example.com", "https://s3.example.com:9000", "HTTPS://S3.example.com",
            "https://10.0.0.1", "https://[2001:db8::1]:443", "http://localhost:9000",
            "http://127.0.0.1:5000", "http://127.8.9.10", "http://[::1]:9000",
            "https://minio_1:9000",
        ])
    func goodEndpoint(endpoint: String) {
        #expect(ConnectorProblemTests.problems("endpoint = \"\(endpoint)\"") == [])
    }

    @Test(
        "Other endpoints are refused with what is wrong",
        arguments: [
            ("s3.example.com", "\"s3.example.com\" must begin with https:// or http://"),
            ("ftp://a", "\"ftp://a\" must begin with https:// or http://"),
            ("https://", "\"https://\" has no valid host name"),
            (
                "https://a/",
                "\"https://a/\" must end after the host and port: no slash, path or query"
            ),
            (
                "https://a/b",
                "\"https://a/b\" must end after the host and port: no slash, path or query"
            ),
            (
                "https://a?b",
                "\"https://a?b\" must end after the host and port: no slash, path or query"
            ),
            (
                "https://me:secret@a",
                "a user name or password in the address is not in this version"
            ),
            ("https://a:0", "\"https://a:0\" has no valid port; it must be from 1 to 65535"),
            (
                "https://a:65536",
                "\"https://a:65536\" has no valid port; it must be from 1 to 65535"
            ),
            ("https://a:", "\"https://a:\" has no valid port; it must be from 1 to 65535"),
            ("https://a b", "\"https://a b\" has no valid host name"),
            ("https://a..b", "\"https://a..b\" has no valid host name"),
            ("https://127.1", "\"https://127.1\" has no valid host name"),
            ("https://[::1", "\"https://[::1\" lacks the \"]\" after its IPv6 address"),
            ("https://[x]", "\"https://[x]\" has no valid IPv6 address in its brackets"),
        ])
    func badEndpoint(endpoint: String, fault: String) {
        #expect(
            ConnectorProblemTests.problems("endpoint = \"\(endpoint)\"") == ["endpoint: " + fault])
    }

    @Test(
        "Plain HTTP goes to this machine only, unless it is allowed",
        arguments: [
            "http://s3.internal:9000", "http://10.0.0.1", "http://127.evil.com", "http://[::2]",
        ])
    func insecure(endpoint: String) {
        let text = "endpoint = \"\(endpoint)\""
        #expect(
            ConnectorProblemTests.problems(text) == [
                "endpoint: \"\(endpoint)\" would send events unencrypted; use https://, "
                    + "or set allow_insecure_http = true"
            ])
        #expect(ConnectorProblemTests.problems(text + "\nallow_insecure_http = true") == [])
    }

    @Test("Virtual addressing that no certificate or name can serve is refused")
    func addressing() {
        #expect(
            ConnectorProblemTests.problems("bucket = \"acme.events\"\naddressing = \"virtual\"")
                == [
                    "addressing: \"virtual\" does not work for \"acme.events\": no TLS certificate matches "
                        + "a bucket with dots; use \"path\""
                ])
        #expect(
            ConnectorProblemTests.problems(
                "endpoint = \"https://10.0.0.1\"\naddressing = \"virtual\"") == [
                    "addressing: \"virtual\" needs a host name in endpoint, not an IP address; use \"path\""
                ])
        let plain =
            "bucket = \"acme.events\"\nendpoint = \"http://localhost:1\"\naddressing = \"virtual\""
        #expect(ConnectorProblemTests.problems(plain) == [])
    }

    @Test(
        "Folders overlap by whole segments",
        arguments: [
            ("a", "a", .equal), ("a", "a-b", nil), ("a-b", "a", nil), ("a", "b", nil),
            ("a", "a/b", .secondInsideFirst), ("a/b", "a", .firstInsideSecond),
            ("a/b", "a/c", nil), ("a/b/c", "a/b", .firstInsideSecond),
            ("", "a", .secondInsideFirst),
            ("a", "", .firstInsideSecond), ("", "", .equal), ("A", "a", nil), ("a/bc", "a/b", nil),
        ] as [(String, String, FolderRules.Overlap?)])
    func overlap(first: String, second: String, expected: FolderRules.Overlap?) {
        #expect(FolderRules.overlap(first, second) == expected)
    }

    @Test(
        "Connectors on one bucket of one store must not overlap",
        arguments: [
            ("", "", "\"currents\" in bucket \"acme\" is the folder of"),
            (
                "folder = \"a\"", "folder = \"a/b\"",
                "\"a/b\" in bucket \"acme\" lies inside \"a\", the folder of"
            ),
            (
                "folder = \"a/b\"", "folder = \"a\"",
                "\"a\" in bucket \"acme\" holds \"a/b\", the folder of"
            ),
            (
                "folder = \"a\"", "folder = \"\"",
                "the root in bucket \"acme\" holds \"a\", the folder of"
            ),
            (
                "folder = \"\"", "folder = \"a\"",
                "\"a\" in bucket \"acme\" lies inside the root, the folder of"
            ),
            (
                "endpoint = \"https://S3.example.com\"",
                "endpoint = \"https://s3.example.com:443\"",
                "\"currents\" in bucket \"acme\" is the folder of"
            ),
            ("folder = \"a\"", "folder = \"a-b\"", nil),
            ("bucket = \"other\"", "", nil),
            ("endpoint = \"https://s3.example.com\"", "", nil),
            ("folder = \"a\"", "folder = \"/\"", "\"/\" must not begin or end with a slash"),
        ] as [(String, String, String?)])
    func overlaps(first: String, second: String, expected: String?) {
        let sandbox = Sandbox()
        for (name, text) in [("one", first), ("two", second)] {
            let bucket = text.hasPrefix("bucket") ? "" : "bucket = \"acme\"\n"
            sandbox.connector(name, bucket + "format = \"jsonl\"\n" + text)
        }
        let problems = sandbox.load().problemTexts
        let end =
            expected?.hasSuffix("of") == true
            ? " connector \"one\"; give each a folder of its own" : ""
        #expect(problems == expected.map { ["connectors.d/two.toml: folder: " + $0 + end] } ?? [])
    }
}
