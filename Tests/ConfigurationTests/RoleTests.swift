import Configuration
import Model
import Testing

/// Roles, STS and the endpoints of AWS.
@Suite struct RoleTests {
    private static let arn = "arn:aws:iam::123456789012:role/sluice"

    private func load(_ credentials: String, _ root: String = "") -> LoadedConfiguration {
        let sandbox = Sandbox()
        sandbox.connector(
            "orders",
            "bucket = \"acme\"\nformat = \"jsonl\"\n\(root)\n[credentials]\n\(credentials)")
        return sandbox.load()
    }

    @Test("A role alone has the usual chain below it, and defaults")
    func defaults() throws {
        let loaded = load("role_arn = \"\(Self.arn)\"")
        #expect(loaded.problemTexts + loaded.warningTexts == [])
        let settings = try #require(loaded.settings.connectors.first?.credentials)
        var expected = CredentialSettings()
        expected.role = .init(arn: Self.arn, sessionName: "sluice-orders")
        #expect(settings == expected)
        #expect(settings.grace == .seconds(120))
        #expect(settings.role?.duration == .seconds(3600))
    }

    @Test("All that can be said of a role")
    func everything() throws {
        let loaded = load(
            """
            profile = "base"
            role_arn = "\(Self.arn)"
            external_id = "a:b/c"
            role_session_name = "events@acme"
            role_duration = "12h"
            sts_endpoint = "https://sts.example.com:8443"
            grace = "10m"
            """, "use_dualstack_endpoint = true\nuse_fips_endpoint = true")
        #expect(loaded.problemTexts + loaded.warningTexts == [])
        let connector = try #require(loaded.settings.connectors.first)
        var role = CredentialSettings.Role(
            arn: Self.arn, externalID: "a:b/c", sessionName: "events@acme")
        role.duration = .seconds(43_200)
        var expected = CredentialSettings(base: .chain(profile: "base"), role: role)
        expected.stsEndpoint = "https://sts.example.com:8443"
        expected.grace = .seconds(600)
        #expect(connector.credentials == expected)
        #expect(connector.usesDualStack && connector.usesFIPS)
    }

    @Test(
        "ARNs of roles in the three partitions",
        arguments: [
            "arn:aws:iam::123456789012:role/a",
            "arn:aws-cn:iam::123456789012:role/path/to/a+=,.@_-",
            "arn:aws-us-gov:iam::123456789012:role/a",
        ])
    func good(_ arn: String) {
        #expect(load("role_arn = \"\(arn)\"").problemTexts == [])
    }

    @Test(
        "What is no role is refused",
        arguments: [
            "", "sluice", "arn:aws:iam::123456789012:user/a", "arn:aws:iam::12345678901:role/a",
            "arn:aws:iam::12345678901x:role/a", "arn:aws:iam:eu-west-1:123456789012:role/a",
            "arn:aws:sts::123456789012:assumed-role/a/b", "arn:aws-xx:iam::123456789012:role/a",
        ])
    func noRole(_ arn: String) {
        #expect(
            load("role_arn = \"\(arn)\"").problemTexts == [
                "connectors.d/orders.toml: credentials.role_arn: \"\(arn)\" is no role; "
                    + "write it like \"arn:aws:iam::123456789012:role/sluice\""
            ])
    }

    @Test(
        "Other values that STS would refuse are refused here",
        arguments: [
            ("external_id = \"a\"", "external_id: \"a\" is no external ID"),
            ("external_id = \"a b\"", "external_id: \"a b\" is no external ID"),
            ("role_session_name = \"a/b\"", "role_session_name: \"a/b\" is no name of a session"),
            ("role_duration = \"14m\"", "role_duration: \"14m\" is out of range"),
            ("role_duration = \"13h\"", "role_duration: \"13h\" is out of range"),
            ("grace = \"2h\"", "grace: \"2h\" is out of range"),
            ("sts_endpoint = \"sts\"", "sts_endpoint: \"sts\" must begin with https://"),
            (
                "sts_endpoint = \"http://sts.example.com\"",
                "sts_endpoint: \"http://sts.example.com\" would send credentials unencrypted"
            ),
        ])
    func values(_ text: String, _ problem: String) {
        let problems = load("role_arn = \"\(Self.arn)\"\n\(text)").problemTexts
        #expect(problems.count == 1)
        #expect(
            problems.first?.hasPrefix("connectors.d/orders.toml: credentials.\(problem)") == true,
            "\(problems)")
    }

    @Test("A name of a role is refused by its own rule")
    func name() {
        let long = String(repeating: "r", count: 65)
        for name in ["a//b", "a/", long, "a b"] {
            let problems = load("role_arn = \"arn:aws:iam::123456789012:role/\(name)\"")
                .problemTexts
            #expect(problems.first?.contains("has no valid name of a role") == true, "\(name)")
        }
    }

    @Test(
        "Keys that contradict each other, or mean nothing without another",
        arguments: [
            ("external_id = \"abc\"", ["external_id: has a meaning only with role_arn"]),
            (
                "role_session_name = \"abc\"\nrole_duration = \"1h\"",
                [
                    "role_session_name: has a meaning only with role_arn",
                    "role_duration: has a meaning only with role_arn",
                ]
            ),
            (
                "access_key_id = \"A\"\nsecret_access_key_file = \"s\"\nprofile = \"p\"",
                ["profile: contradicts access_key_id; name the keys or a profile"]
            ),
            (
                "access_key_id = \"A\"\nsecret_access_key_file = \"s\"\nsts_endpoint = \"https://a\"",
                ["sts_endpoint: has a meaning only where a role is assumed"]
            ),
            ("profile = \"\"", ["profile: \"\" is no name of a profile"]),
        ])
    func contradictions(_ text: String, _ problems: [String]) {
        #expect(
            load(text).problemTexts.sorted()
                == problems.map { "connectors.d/orders.toml: credentials." + $0 }.sorted())
    }

    @Test("The endpoints of AWS are not chosen where another endpoint is named")
    func endpoints() {
        for key in ["use_dualstack_endpoint", "use_fips_endpoint"] {
            #expect(
                load("", "endpoint = \"https://a\"\n\(key) = true").problemTexts == [
                    "connectors.d/orders.toml: \(key): chooses among the endpoints of Amazon S3, "
                        + "and endpoint names another"
                ])
            #expect(load("", "endpoint = \"https://a\"\n\(key) = false").problemTexts == [])
        }
        #expect(
            load("", "region = \"cn-north-1\"\nuse_fips_endpoint = true").problemTexts == [
                "connectors.d/orders.toml: use_fips_endpoint: there are no such endpoints in China"
            ])
    }
}
