import Delivery
import Digest
import Model
import Signing
import Support
import Testing

@testable import Credentials

/// The usual chain: what is there decides, in the order of the SDKs.
@Suite(.timeLimit(.minutes(1)))
struct ChainTests {
    @Test("Each place goes before the next, and the first that is there decides")
    func order() async throws {
        try await withBench { bench in
            let tree = bench.tree
            let instance = LocalIssuer(InstanceTests.answer)
            let container = LocalIssuer { _ in
                .init(
                    body: #"{"AccessKeyId":"CONTAINER","SecretAccessKey":"s","Token":"t"}"#)
            }
            let sts = LocalIssuer { _ in
                STSText.session("WEB", action: "AssumeRoleWithWebIdentity")
            }
            tree.write("token", "t")
            tree.write(
                "credentials", "[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n")
            bench.variables = [
                "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s",
                "AWS_WEB_IDENTITY_TOKEN_FILE": tree.at("token"),
                "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
                "AWS_SHARED_CREDENTIALS_FILE": tree.at("credentials"),
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": container.url,
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": instance.url,
            ]
            var settings = CredentialSettings()
            settings.stsEndpoint = sts.url
            let provider = bench.provider(settings)
            var found: [String] = []
            for variable in [
                "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SHARED_CREDENTIALS_FILE",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            ] {
                provider.forget()
                found.append(try await bench.get(provider).get().accessKeyID)
                bench.variables[variable] = nil
                if variable == "AWS_ACCESS_KEY_ID" {
                    provider.forget()
                    let half = await bench.get(provider)
                    #expect(misconfiguration(half)?.contains("not both set") == true)
                    bench.variables["AWS_SECRET_ACCESS_KEY"] = nil
                }
            }
            #expect(found == ["ENV", "WEB", "FILE", "CONTAINER", "INSTANCE"])
        }
    }

    @Test("Where there is nothing at all, the text says what may be there")
    func nothing() async throws {
        try await withBench { bench in
            bench.variables = ["AWS_EC2_METADATA_DISABLED": "true"]
            let text = await misconfiguration(bench.get(bench.provider(CredentialSettings())))
            #expect(text?.hasPrefix("there are no credentials: name keys or a role") == true)
            bench.variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"]
            let other = await misconfiguration(bench.get(bench.provider(CredentialSettings())))
            #expect(other?.contains("metadata service does not answer") == true)
        }
    }

    @Test("A profile that is named is looked at alone")
    func named() async throws {
        try await withBench { bench in
            bench.tree.write("config", "[profile p]\nregion = eu-west-3\n")
            bench.variables = [
                "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s",
                "AWS_CONFIG_FILE": bench.tree.at("config"),
            ]
            let empty = bench.provider(.init(base: .chain(profile: "p")))
            #expect(
                await misconfiguration(bench.get(empty))
                    == "profile \"p\" of the shared AWS files has no credentials")
            #expect(!empty.isFixedUntilRestart)
            let missing = bench.provider(.init(base: .chain(profile: "q")))
            #expect(
                await misconfiguration(bench.get(missing))
                    == "there is no profile \"q\" in the shared AWS files"
            )
        }
    }

    @Test("A role in a profile is assumed with its source, in the profile's region")
    func profileRole() async throws {
        try await withBench { bench in
            bench.tree.write(
                "config",
                """
                [default]
                role_arn = arn:aws:iam::123456789012:role/outer
                source_profile = inner
                external_id = ext
                region = eu-west-3
                [profile inner]
                role_arn = arn:aws:iam::123456789012:role/inner
                source_profile = keys
                role_session_name = me
                duration_seconds = 900
                """)
            bench.tree.write(
                "credentials", "[keys]\naws_access_key_id = BASE\naws_secret_access_key = s\n")
            bench.variables = [
                "AWS_CONFIG_FILE": bench.tree.at("config"),
                "AWS_SHARED_CREDENTIALS_FILE": bench.tree.at("credentials"),
            ]
            let sts = LocalIssuer { request in
                STSText.session(
                    request.headers["authorization"]?.contains("BASE") == true ? "INNER" : "OUTER")
            }
            var settings = CredentialSettings()
            settings.stsEndpoint = sts.url
            let credentials = try await bench.get(bench.provider(settings)).get()
            #expect(credentials.accessKeyID == "OUTER")
            let names = ["RoleSessionName", "DurationSeconds", "ExternalId"]
            #expect(
                sts.requests.map { request in names.map { request.parameter($0) } } == [
                    ["me", "900", nil], ["sluice-orders", "3600", "ext"],
                ])
            #expect(
                sts.requests.last?.headers["authorization"]?.contains("INNER/20270115/eu-west-3/")
                    == true)
        }
    }

    @Test("A program gives credentials, and its words are split as a shell does")
    func process() async throws {
        try await withBench { bench in
            bench.tree.write(
                "give",
                """
                #!/bin/sh
                test "$1" = "two words" || exit 3
                echo complaint hush >&2
                echo '{"Version": 1, "AccessKeyId": "PROC", "SecretAccessKey": "p/+", '
                echo '"SessionToken": "t", "Expiration": "2027-01-15T09:00:00+00:00"}'
                """)
            bench.tree.write(
                "config",
                """
                [profile good]
                credential_process = sh '\(bench.tree.at("give"))' "two words"
                [profile bad]
                credential_process = sh \(bench.tree.at("give")) other
                [profile odd]
                credential_process = echo hush
                [profile gone]
                credential_process = /no/such/program
                [profile open]
                credential_process = echo "x
                """)
            bench.variables = ["AWS_CONFIG_FILE": bench.tree.at("config")]
            @MainActor func get(_ profile: String) async -> Result<
                Credentials, CredentialsUnavailable
            > {
                await bench.get(bench.provider(.init(base: .chain(profile: profile))))
            }
            let credentials = try await get("good").get()
            #expect(
                credentials
                    == Credentials(
                        accessKeyID: "PROC", secretAccessKey: Secret("p/+"),
                        sessionToken: Secret("t")))
            for (profile, text) in [
                ("bad", "ended with status 3"), ("odd", "did not print credentials"),
                ("gone", "cannot be started: No such file"), ("open", "is no command"),
            ] {
                let said = await misconfiguration(get(profile))
                #expect(said?.contains(text) == true, "\(said ?? "")")
                #expect(said?.contains("hush") == false)
            }
        }
    }
}

nonisolated struct ProfileTests {
    private static func plan(
        _ config: String, _ credentials: String = "", profile: String = "p"
    ) -> Result<ProfilePlan?, CredentialsUnavailable> {
        do {
            let profiles = Profiles(
                config: try ProfileFile(Secret(config), .config),
                credentials: try ProfileFile(Secret(credentials), .credentials),
                sessionName: "s")
            return Result { () throws(CredentialsUnavailable) in try profiles.plan(profile) }
        } catch {
            return .failure(.misconfigured("\(error)"))
        }
    }

    private static let arn = "arn:aws:iam::123456789012:role/r"

    private static func assumed(_ change: (inout AssumedRole) -> Void = { _ in }) -> AssumedRole {
        var role = AssumedRole(
            arn: arn, externalID: nil, sessionName: "s", duration: .seconds(3600))
        change(&role)
        return role
    }

    private static func keys(_ name: String, token: String? = nil) -> ProfilePlan {
        .keys(
            Credentials(
                accessKeyID: name, secretAccessKey: Secret("s"),
                sessionToken: token.map { Secret($0) }))
    }

    @Test("Keys in either file; those of the credentials file go before")
    func bothFiles() {
        let config = "[profile p]\naws_access_key_id = C\naws_secret_access_key = s\n"
        #expect(Self.plan(config) == .success(Self.keys("C")))
        let credentials =
            "[p]\nAWS_Access_Key_ID=K ; old\naws_secret_access_key = s\naws_session_token= t # x\n"
        #expect(Self.plan(config, credentials) == .success(Self.keys("K", token: "t")))
        #expect(
            Self.plan("[default]\naws_access_key_id=D\naws_secret_access_key=s", profile: "default")
                == .success(Self.keys("D")))
        #expect(Self.plan("[profile p]\nregion = x\n") == .success(nil))
        #expect(
            Self.plan(
                "[profile \"p q\"]\naws_access_key_id=D\naws_secret_access_key=s", profile: "p q")
                == .success(Self.keys("D")))
    }

    @Test("Comments, indented lines and other sections are no profiles")
    func other() {
        let config = """
            # a comment
            ; another
            [sso-session p]
            aws_access_key_id = X
            [services p]
            s3 =
              endpoint_url = http://x
            [profile p]
            s3 =
                max_concurrent_requests = 20
                nothing
            aws_access_key_id = K
            aws_secret_access_key = s
            """
        #expect(Self.plan(config) == .success(Self.keys("K")))
    }

    @Test(
        "What a role stands on",
        arguments: [
            ("credential_source = Environment", ProfilePlan.role(assumed(), base: .environment)),
            ("credential_source = EcsContainer", .role(assumed(), base: .container)),
            ("credential_source = Ec2InstanceMetadata", .role(assumed(), base: .instance)),
            ("web_identity_token_file = /t", .webIdentity(assumed(), tokenFile: "/t")),
            ("source_profile = k", .role(assumed(), base: keys("K"))),
            (
                "source_profile = c",
                .role(assumed(), base: .process("give me", profile: "profile \"c\""))
            ),
            (
                "source_profile = k\nexternal_id = e\nrole_session_name = n\nduration_seconds = 43200",
                .role(
                    assumed {
                        ($0.externalID, $0.sessionName, $0.duration) = ("e", "n", .seconds(43_200))
                    }, base: keys("K"))
            ),
            // A profile may take its own keys to assume its own role.
            (
                "source_profile = p\naws_access_key_id = K\naws_secret_access_key = s",
                .role(assumed(), base: keys("K"))
            ),
        ])
    func roles(_ text: String, _ expected: ProfilePlan) {
        let config =
            "[profile p]\nrole_arn = \(Self.arn)\n\(text)\n"
            + "[profile k]\naws_access_key_id = K\naws_secret_access_key = s\n"
            + "[profile c]\ncredential_process = give me\n"
        #expect(Self.plan(config) == .success(expected))
    }

    @Test(
        "Mistakes are told with the profile",
        arguments: [
            ("role_arn = r", "neither source_profile nor credential_source"),
            ("role_arn = r\nsource_profile = p", "comes back to itself by source_profile: p -> p"),
            (
                "role_arn = r\nsource_profile = q\n[profile q]\nrole_arn = r\nsource_profile = p",
                "comes back to itself by source_profile: p -> q -> p"
            ),
            ("role_arn = r\nsource_profile = q", "names the profile \"q\", which does not exist"),
            ("role_arn = r\nsource_profile = q\n[profile q]\nregion = x", "has no credentials"),
            ("role_arn = r\nsource_profile = q\ncredential_source = Environment", "has both"),
            ("role_arn = r\ncredential_source = Moon", "is none of Environment"),
            ("role_arn = r\nsource_profile = q\nmfa_serial = m", "takes a person"),
            ("role_arn = r\nsource_profile = q\nduration_seconds = 60", "from 900 to 43200"),
            ("web_identity_token_file = /t", "and no role_arn"),
            ("aws_access_key_id = K", "has only one of"),
            ("sso_session = s", "signs in by SSO"), ("nonsense", "Damage(line: 2)"),
        ])
    func mistakes(_ text: String, _ expected: String) {
        guard case .failure(.misconfigured(let said)) = Self.plan("[profile p]\n" + text) else {
            Issue.record("no mistake")
            return
        }
        #expect(said.contains(expected), "\(said)")
    }

    @Test(
        "A command is split into words as Python's shlex does",
        arguments: [
            ("a b  c", ["a", "b", "c"]), ("", []), ("  ", []), ("'a b' c", ["a b", "c"]),
            (#"a\ b "c\"d" "\x" '\'"#, ["a b", "c\"d", "\\x", "\\"]), ("a''b", ["ab"]),
            ("''", [""]), ("a\"b c\"d", ["ab cd"]), ("a\tb\nc", ["a", "b", "c"]),
            ("$HOME `x` | >f", ["$HOME", "`x`", "|", ">f"]), ("'a", nil), ("\"a", nil),
            ("a\\", nil),
        ] as [(String, [String]?)])
    func words(_ text: String, _ expected: [String]?) {
        #expect(ShellWords.split(text) == expected)
    }
}

struct SecretObjectTests {
    @Test(
        "Members are read, and what is nested or null is left out",
        arguments: [
            (#"{"a":"x"}"#, ["a": "x"]), ("{}", [:]), (" { } ", [:]),
            (
                #"{"a": "x", "n": 12.5e3, "t": true, "z": null, "o": {"a": ["y", {}, []]}, "b": "q"}"#,
                ["a": "x", "n": "12.5e3", "t": "true", "b": "q"]
            ),
            (#"{"a":"\"\\\/\b\n\u00e9"}"#, ["a": "\"\\/\u{8}\n\u{e9}"]),
            (#"{"a":"x"} x"#, nil), (#"{"a":"x""#, nil), (#"{"a" "x"}"#, nil), ("[]", nil),
            ("", nil), (#"{"a":"\ud800"}"#, nil), (#"{"a":"\q"}"#, nil), (#"{"a":}"#, nil),
            ("<html>", nil), ("{\"a\":\"\n\"}", nil),
            ("{\"a\":" + String(repeating: "[", count: 100_000), nil),
        ] as [(String, [String: String]?)])
    func members(_ text: String, _ expected: [String: String]?) {
        let object = Secret(text).withUnsafeBytes { SecretObject($0) }
        #expect((object == nil) == (expected == nil))
        for name in ["a", "b", "n", "t", "z", "o"] {
            #expect(object?.text(name) == expected?[name], "\(name)")
        }
    }
}
