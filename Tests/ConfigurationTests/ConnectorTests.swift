import Configuration
import Model
import Testing

@Suite struct ConnectorTests {
    private let sandbox = Sandbox()

    @Test("A connector of two lines gets every default")
    func defaults() throws {
        sandbox.connector("orders", "bucket = \"acme-events\"")
        let loaded = sandbox.load()
        #expect(loaded.problemTexts == [])
        #expect(
            loaded.warningTexts == [
                "connectors.d/orders.toml: events: no schema covers \"*\", so such events go to "
                    + "quarantine; add a schema, or write format = \"jsonl\""
            ])
        let name = try #require(ConnectorName("orders"))
        let expected = ConnectorSettings(
            name: name, bucket: "acme-events", integrationID: "1649593a2e3c64bf6eee83a1")
        #expect(loaded.settings.connectors == [expected])
    }

    @Test("Every key of this version is read")
    func everything() throws {
        let secret = sandbox.write("secret", to: "orders.secret", mode: 0o640)
        let token = sandbox.write("token", to: "orders.token", mode: 0o600)
        let authority = sandbox.write("PEM", to: "ca.pem")
        sandbox.connector(
            "orders",
            """
            kind = "currents"
            bucket = "acme.events"
            folder = "a/b c"
            integration_id = "5d4a"
            events = ["users.messages.*", "orders.Placed"]
            default_event_type = "log.line"
            region = "RegionOne"
            endpoint = "http://10.0.0.1:9000"
            allow_insecure_http = true
            addressing = "path"
            format = "jsonl"
            compression = "none"
            server_side_encryption = "aws:kms"
            kms_key_id = "alias/events"
            bucket_key_enabled = true
            storage_class = "MY_CLASS"
            acl = "bucket-owner-full-control"
            tags = { team = "growth", "cost:centre" = "é 1" }
            proxy = "http://proxy:3128"
            conditional_writes = false
            checksum = "when_required"
            [credentials]
            access_key_id = "AKIA"
            secret_access_key_file = "\(secret)"
            session_token_file = "\(token)"
            [batch]
            max_events = 1
            max_age = "1h"
            max_bytes = "5GB"
            [transform]
            "email.address" = "hash"
            note = "remove"
            [tls]
            ca_file = "\(authority)"
            """)
        let loaded = sandbox.load([:])
        #expect(loaded.problemTexts == [])
        #expect(loaded.warningTexts == [])

        let name = try #require(ConnectorName("orders"))
        var expected = ConnectorSettings(name: name, bucket: "acme.events", integrationID: "5d4a")
        expected.folder = "a/b c"
        expected.events = ["users.messages.*", "orders.Placed"].compactMap { EventPattern($0) }
        expected.defaultEventType = "log.line"
        expected.region = "RegionOne"
        expected.endpoint = "http://10.0.0.1:9000"
        expected.addressing = .path
        expected.format = .jsonl(.none)
        expected.transforms = Transforms(["email.address": .hash, "note": .remove])
        expected.encryption = .kms(keyID: "alias/events", bucketKey: true)
        expected.storageClass = "MY_CLASS"
        expected.acl = "bucket-owner-full-control"
        expected.tags = [Tag(key: "cost:centre", value: "é 1"), Tag(key: "team", value: "growth")]
        expected.proxy = "http://proxy:3128"
        expected.conditionalWrites = false
        expected.checksum = .whenRequired
        expected.caFile = authority
        expected.credentials = CredentialSettings(
            base: .keys(
                accessKeyID: "AKIA", secretFile: secret, sessionTokenFile: token))
        expected.batch.maxEvents = 1
        expected.batch.maxAge = .seconds(3600)
        expected.batch.maxBytes = ByteCount(5_000_000_000)
        #expect(loaded.settings.connectors == [expected])
    }

    @Test("Every problem of every file is reported at once")
    func allAtOnce() {
        sandbox.write("log_level = \"loud\"\n[spol]\n", to: "sluice.toml")
        sandbox.connector("a", "bucket = 7\n")
        sandbox.connector("b", "bucket = \"acme\"\nformat = \n")
        sandbox.connector(
            "c", "bucket = \"acme\"\nformat = \"jsonl\"\n[batch]\nmax_age = \"5 minutes\"\n")
        #expect(
            sandbox.load().problemTexts == [
                "sluice.toml: log_level: \"loud\" is unknown; "
                    + "it must be \"debug\", \"info\", \"notice\", \"warning\" or \"err\"",
                "sluice.toml: spol: unknown key; did you mean \"spool\"?",
                "connectors.d/a.toml: bucket: must be a string, not a whole number",
                "connectors.d/b.toml:2:10: syntax error while parsing key-value pair: "
                    + "expected value, saw '\\n'",
                "connectors.d/c.toml: batch.max_age: \"5 minutes\" is not a duration; "
                    + "write it like \"5m\"",
            ])
    }

    @Test("An integration ID of a name's own is different for each name and never changes")
    func integrationID() {
        let names = ["orders", "orders-2", "order", "a", "b", "ab"]
        for name in names {
            sandbox.connector(name, "bucket = \"acme\"\nfolder = \"\(name)\"\nformat = \"jsonl\"")
        }
        let identifiers = sandbox.load().settings.connectors.map(\.integrationID)
        #expect(Set(identifiers).count == names.count)
        // FNV-1a, 128 bits, of "a": the published value is d228cb696f1a8caf78912b704e4a8964.
        #expect(identifiers.first == "d228cb696f1a8caf78912b70")
    }

    @Test("A file is also read alone, and against those that are installed")
    func alone() {
        sandbox.connector("orders", "bucket = \"acme\"\nformat = \"jsonl\"")
        let installed = sandbox.load().settings
        let text = "bucket = \"acme\"\nformat = \"jsonl\"\nregion = \"eu-west-1\""
        let same = sandbox.write(text, to: "orders.toml")
        let replaced = ConfigurationLoader.loadConnector(
            file: same, into: installed, base: sandbox.path, environment: Sandbox.keys)
        #expect(replaced.problemTexts == [])
        #expect(replaced.settings.connectors.map(\.region) == ["eu-west-1"])

        let other = sandbox.write(text, to: "other.toml")
        let second = ConfigurationLoader.loadConnector(
            file: other, into: installed, base: sandbox.path, environment: Sandbox.keys)
        #expect(
            second.problemTexts == [
                "\(other): folder: \"currents\" in bucket \"acme\" is the folder of "
                    + "connector \"orders\"; give each a folder of its own"
            ])

        let unnamed = ConfigurationLoader.loadConnector(
            file: sandbox.path + "/Orders.toml", into: installed, base: sandbox.path,
            environment: [:])
        #expect(unnamed.problems.count == 1)
        #expect(unnamed.settings.connectors.isEmpty)
    }
}
