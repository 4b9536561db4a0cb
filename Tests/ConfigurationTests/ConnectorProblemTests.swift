import Configuration
import Model
import Testing

@Suite struct ConnectorProblemTests {
    /// What is added to a sound connector, and all that is then said about it.
    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var problems: [String]

        init(_ text: String, _ problems: String...) {
            self.text = text
            self.problems = problems
        }

        var testDescription: String { text }
    }

    static func problems(_ text: String) -> [String] {
        let sandbox = Sandbox()
        let base = ["bucket = \"acme\"", "format = \"jsonl\""].filter { line in
            let key = line.prefix { $0 != " " } + " ="
            return !text.split(separator: "\n").contains { $0.hasPrefix(key) }
        }
        sandbox.connector("orders", (base + [text]).joined(separator: "\n"))
        let prefix = "connectors.d/orders.toml: "
        return sandbox.load().problemTexts.map { text in
            text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
        }
    }

    @Test(
        "What is not in this version is refused in a sentence",
        arguments: [
            Case(
                "compression = \"deflate\"",
                "compression: \"deflate\" belongs to the other format; write \"gzip\", \"zstd\" or "
                    + "\"none\""),
            Case(
                "compression = \"zstandard\"",
                "compression: \"zstandard\" belongs to the other format; write \"gzip\", \"zstd\" or "
                    + "\"none\""),
            Case(
                "compression_level = 13",
                "compression_level: 13 is out of range; it must be from 1 to 12"),
            Case(
                "compression = \"zstd\"\ncompression_level = 0",
                "compression_level: 0 is out of range; it must be from 1 to 19"),
            Case(
                "compression = \"none\"\ncompression_level = 1",
                "compression_level: \"none\" has no levels; remove one of the two"),
            Case(
                "max_held = \"10KiB\"",
                "max_held: \"10KiB\" is out of range; it must be from \"1MiB\" to \"1024TiB\""),
            Case(
                "[transform]\nemail = \"drop\"",
                "transform.email: must be \"remove\" or \"hash\""),
        ])
    func later(subject: Case) {
        #expect(Self.problems(subject.text) == subject.problems)
    }

    @Test(
        "Unknown keys are named, with the key that may be meant",
        arguments: [
            Case("regoin = \"x\"", "regoin: unknown key; did you mean \"region\"?"),
            Case("colour = \"x\"", "colour: unknown key"),
            Case("max_age = \"5m\"", "max_age: unknown key; it belongs in [batch]"),
            Case(
                "[batch]\nregion = \"x\"",
                "batch.region: unknown key; it belongs at the top of the file, before the first [table]"
            ),
            Case(
                "[batch]\nmax_event = 3",
                "batch.max_event: unknown key; did you mean \"max_events\"?"),
            Case(
                "[credentails]\nrole_arn = \"\"",
                "credentails: unknown key; did you mean \"credentials\"?"),
            Case("\"a b\\n\" = 1", "\"a b\\u000a\": unknown key"),
            Case("[tls.inner]\nca_file = 3", "tls.inner: unknown key"),
        ])
    func unknown(subject: Case) {
        #expect(Self.problems(subject.text) == subject.problems)
    }

    @Test(
        "A value of a wrong type is named with what it must be",
        arguments: [
            Case("bucket = true", "bucket: must be a string, not true or false"),
            Case("region = 1.5", "region: must be a string, not a fraction"),
            Case("region = 2026-11-22", "region: must be a string, not a date or time"),
            Case(
                "conditional_writes = \"no\"",
                "conditional_writes: must be true or false, not a string"),
            Case("events = \"*\"", "events: must be a list of strings, not a string"),
            Case(
                "events = [\"*\", 3]",
                "events: must be a list of strings, not a list with a whole number"),
            Case("batch = 3", "batch: must be a table, not a whole number"),
            Case("[[batch]]\nmax_events = 3", "batch: must be a table, not a list"),
            Case(
                "[batch]\nmax_events = \"3\"",
                "batch.max_events: must be a whole number, not a string"),
            Case(
                "[batch]\nmax_age = 300",
                "batch.max_age: must be a duration like \"5m\", not a whole number"),
            Case(
                "[batch]\nmax_bytes = 300",
                "batch.max_bytes: must be a size like \"64MiB\", not a whole number"),
            Case(
                "[multipart]\nabove = 5",
                "multipart.above: must be a size like \"64MiB\", not a whole number"),
            Case("tags = { a = 1 }", "tags.a: must be a string, not a whole number"),
        ])
    func types(subject: Case) {
        #expect(Self.problems(subject.text) == subject.problems)
    }

    @Test(
        "A value that cannot work is named with what would",
        arguments: [
            Case(
                "kind = \"current\"",
                "kind: \"current\" is unknown; it must be \"currents\" or \"data-export\""),
            Case(
                "format = \"csv\"", "format: \"csv\" is unknown; it must be \"avro\" or \"jsonl\""),
            Case(
                "compression = \"lzma\"",
                "compression: \"lzma\" is unknown; write \"gzip\", \"zstd\" or \"none\""),
            Case(
                "events = []",
                "events: an empty list selects nothing; leave the key out to get every event"),
            Case(
                "events = [\"a/b\"]",
                "events: \"a/b\" is no pattern; it may have A-Z, a-z, 0-9, \"_\", \".\", \"-\" and \"*\""
            ),
            Case(
                "default_event_type = \"a..b\"",
                "default_event_type: \"a..b\" is no event type; it has 1 to 128 of A-Z, a-z, 0-9, \"_\", \"-\", "
                    + "and single dots inside"),
            Case(
                "integration_id = \"a/b\"",
                "integration_id: \"a/b\" may only have A-Z, a-z, 0-9, \"_\", \".\" and \"-\""),
            Case(
                "region = \"EU West\"",
                "region: \"EU West\" is no region; write it like \"eu-west-1\""),
            Case(
                "region = \"EU-WEST-1\"",
                "region: \"EU-WEST-1\" is no region; write it like \"eu-west-1\""),
            Case(
                "addressing = \"host\"",
                "addressing: \"host\" is unknown; it must be \"virtual\" or \"path\""),
            Case(
                "server_side_encryption = \"AES\"",
                "server_side_encryption: \"AES\" is unknown; it must be \"AES256\" or \"aws:kms\""),
            Case(
                "kms_key_id = \"k\"\nserver_side_encryption = \"AES256\"",
                "kms_key_id: has a meaning only with server_side_encryption = \"aws:kms\""),
            Case(
                "bucket_key_enabled = true",
                "bucket_key_enabled: has a meaning only with server_side_encryption = \"aws:kms\""),
            Case(
                "server_side_encryption = \"aws:kms\"\nkms_key_id = \"a b\"",
                "kms_key_id: \"a b\" is no key ID, alias or ARN"),
            Case(
                "[multipart]\nabove = \"4MiB\"\npart_size = \"5TiB\"",
                "multipart.above: \"4MiB\" is out of range; it must be from \"5MiB\" to \"5GB\"",
                "multipart.part_size: \"5TiB\" is out of range; it must be from \"5MiB\" to \"5GiB\""
            ),
            Case(
                "acl = \"public\"",
                "acl: \"public\" is unknown; it must be \"private\", \"public-read\", \"public-read-write\", "
                    + "\"aws-exec-read\", \"authenticated-read\", \"bucket-owner-read\" or "
                    + "\"bucket-owner-full-control\""),
            Case(
                "storage_class = \"COLD\"",
                "storage_class: \"COLD\" is unknown; it must be \"STANDARD\", \"STANDARD_IA\", \"ONEZONE_IA\", "
                    + "\"INTELLIGENT_TIERING\", \"GLACIER_IR\", \"GLACIER\", \"DEEP_ARCHIVE\" or "
                    + "\"REDUCED_REDUNDANCY\""),
            Case(
                "endpoint = \"https://s3.example.com\"\nstorage_class = \"a b\"",
                "storage_class: \"a b\" is no storage class"),
            Case(
                "checksum = \"never\"",
                "checksum: \"never\" is unknown; it must be \"when_supported\" or \"when_required\""
            ),
            Case(
                "proxy = \"proxy:3128\"",
                "proxy: \"proxy:3128\" must begin with https:// or http://"),
            Case(
                "proxy = \"http://proxy\"",
                "proxy: \"http://proxy\" lacks a port; write it like \"http://proxy:3128\""),
            Case(
                "proxy = \"http://me:secret@proxy:3128\"",
                "proxy: a user name or password in the address is not in this version"),
            Case(
                "[batch]\nmax_events = 0",
                "batch.max_events: 0 is out of range; it must be from 1 to 1,000,000"),
            Case(
                "[batch]\nmax_age = \"5\"",
                "batch.max_age: \"5\" is not a duration; write it like \"5m\""),
            Case(
                "[batch]\nmax_age = \"2h\"",
                "batch.max_age: \"2h\" is out of range; it must be from \"1s\" to \"1h\""),
            Case(
                "[batch]\nmax_age = \"999ms\"",
                "batch.max_age: \"999ms\" is out of range; it must be from \"1s\" to \"1h\""),
            Case(
                "[batch]\nmax_bytes = \"64 megs\"",
                "batch.max_bytes: \"64 megs\" is not a size; write it like \"64MiB\""),
            Case(
                "[batch]\nmax_bytes = \"63KiB\"",
                "batch.max_bytes: \"63KiB\" is out of range; it must be from \"64KiB\" to \"5GB\""),
            Case(
                "[batch]\nmax_bytes = \"5GiB\"",
                "batch.max_bytes: \"5GiB\" is out of range; it must be from \"64KiB\" to \"5GB\""),
            Case("[tls]\nca_file = \"ca.pem\"", "tls.ca_file: \"ca.pem\" must be an absolute path"),
            Case(
                "[tls]\nca_file = \"/nowhere/ca.pem\"",
                "tls.ca_file: \"/nowhere/ca.pem\" cannot be read: no such file or directory"),
            Case("[tls]\nca_file = \"/tmp\"", "tls.ca_file: \"/tmp\" is not a file"),
        ])
    func values(subject: Case) {
        #expect(Self.problems(subject.text) == subject.problems)
    }

    @Test(
        "Tags keep to the limits of S3",
        arguments: [
            Case(
                "tags = { \"aws:a\" = \"\" }",
                "tags.\"aws:a\": S3 reserves keys that begin with \"aws:\""),
            Case(
                "tags = { \"\" = \"\" }", "tags.\"\": S3 allows 1 to 128 characters in a tag's key"),
            Case(
                "tags = { a = \"\(String(repeating: "v", count: 257))\" }",
                "tags.a: S3 allows 256 characters in a tag's value"),
            Case(
                "tags = { a = \"x&y\" }",
                "tags.a: has \"&\"; S3 allows letters, digits, spaces and + - = . _ : / @"),
            Case(
                "tags = { \((0...10).map { "k\($0) = \"\"" }.joined(separator: ", ")) }",
                "tags: S3 allows 10 tags on an object, and these are 11"),
        ])
    func tags(subject: Case) {
        #expect(Self.problems(subject.text) == subject.problems)
    }

    @Test("Without a bucket there is nowhere to go")
    func noBucket() {
        let sandbox = Sandbox()
        sandbox.connector("orders", "format = \"jsonl\"")
        #expect(
            sandbox.load().problemTexts == [
                "connectors.d/orders.toml: bucket: is missing; name the bucket that gets the objects"
            ])
    }
}
