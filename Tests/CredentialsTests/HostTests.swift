import Delivery
import Digest
import Model
import Signing
import Support
import Testing

@testable import Credentials

/// IMDSv2, played by a server on this machine.
@Suite(.timeLimit(.minutes(1)))
struct InstanceTests {
    static func answer(_ request: LocalIssuer.Request) -> LocalIssuer.Answer {
        let path = "/latest/meta-data/iam/security-credentials/"
        switch (request.method, request.target) {
        case ("PUT", "/latest/api/token")
        where request.headers["x-aws-ec2-metadata-token-ttl-seconds"] != nil:
            return .init(body: "TOKEN==")
        case ("GET", path) where request.headers["x-aws-ec2-metadata-token"] == "TOKEN==":
            return .init(body: "events-role\n")
        case ("GET", path + "events-role")
        where request.headers["x-aws-ec2-metadata-token"] == "TOKEN==":
            return .init(
                body: """
                    {"Code" : "Success", "Type" : "AWS-HMAC", "AccessKeyId" : "INSTANCE",
                    "SecretAccessKey" : "i/+", "Token" : "t=", "Expiration" : "2027-01-15T14:00:00Z"}
                    """)
        default:
            return .init(status: 401)
        }
    }

    private func get(
        _ bench: Bench, _ issuer: LocalIssuer
    ) async -> Result<Credentials, CredentialsUnavailable> {
        bench.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = issuer.url + "/"
        // A proxy that is not there: whoever asks it gets no answer.
        let provider = bench.provider(CredentialSettings()) { $0.proxy = "http://127.0.0.1:1" }
        return await bench.get(provider)
    }

    @Test("A token, the role's name and its credentials are asked for, past any proxy")
    func steps() async throws {
        try await withBench { bench in
            let issuer = LocalIssuer(Self.answer)
            let credentials = try await get(bench, issuer).get()
            #expect(
                credentials
                    == Credentials(
                        accessKeyID: "INSTANCE", secretAccessKey: Secret("i/+"),
                        sessionToken: Secret("t=")))
            #expect(issuer.requests.map(\.method) == ["PUT", "GET", "GET"])
        }
    }

    @Test("Its session is renewed ahead of its end")
    func renewal() async throws {
        try await withBench { bench in
            let issuer = LocalIssuer(Self.answer)
            bench.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = issuer.url
            let provider = bench.provider(CredentialSettings())
            _ = try await bench.get(provider).get()
            bench.pass(.seconds(6 * 3600 - 300))
            await bench.until { issuer.requests.count == 6 }
            await bench.until { !bench.events.isEmpty }
            #expect(
                bench.events == [.refreshed(until: Timestamp(unixSeconds: 1_800_021_600))])
        }
    }

    @Test(
        "Where it gives no token, version 1 is not asked",
        arguments: [(403, true), (404, true), (405, true), (500, false), (429, false)])
    func noToken(_ status: Int, _ isMisconfigured: Bool) async throws {
        try await withBench { bench in
            let issuer = LocalIssuer { _ in .init(status: status) }
            let result = await get(bench, issuer)
            #expect((misconfiguration(result) != nil) == isMisconfigured)
            #expect(isUnreachable(result) != isMisconfigured)
            #expect(issuer.requests.map(\.method) == ["PUT"])
        }
    }

    @Test("An instance without a role says so")
    func noRole() async throws {
        try await withBench { bench in
            let issuer = LocalIssuer { request in
                request.method == "PUT" ? Self.answer(request) : .init(status: 404)
            }
            let result = await get(bench, issuer)
            #expect(
                misconfiguration(result) == "no role is attached to this instance; attach one")
        }
    }

    @Test(
        "Its own code decides whether a role is denied",
        arguments: [("AssumeRoleUnauthorizedAccess", true), ("Failed", false)])
    func code(_ code: String, _ isDenied: Bool) async throws {
        try await withBench { bench in
            let issuer = LocalIssuer { request in
                request.target.hasSuffix("events-role")
                    ? .init(body: "{\"Code\": \"\(code)\", \"Message\": \"no\"}")
                    : Self.answer(request)
            }
            let result = await get(bench, issuer)
            #expect(
                result
                    == .failure(
                        isDenied
                            ? .denied(
                                Cause(
                                    code: code, message: "no",
                                    issuer: "the instance metadata service"))
                            : .misconfigured(
                                "the instance metadata service answers with Failed: no")))
        }
    }

    @Test("An expired session is none")
    func expired() async throws {
        try await withBench { bench in
            let issuer = LocalIssuer(Self.answer)
            bench.wallClock = Timestamp(unixSeconds: 1_900_000_000)
            #expect(await isUnreachable(get(bench, issuer)))
        }
    }

    @Test("What is no answer of it is unreachable", arguments: 0..<3)
    func odd(_ step: Int) async throws {
        try await withBench { bench in
            let bodies = ["", "two\nlines", "<html>"]
            var count = 0
            let issuer = LocalIssuer { request in
                defer { count += 1 }
                return count == step ? .init(body: bodies[step]) : Self.answer(request)
            }
            let result = await get(bench, issuer)
            #expect(isUnreachable(result))
        }
    }
}

/// The endpoint of a container.
@Suite(.timeLimit(.minutes(1)))
struct ContainerTests {
    private static let good = LocalIssuer.Answer(
        body: """
            {"RoleArn": "r", "AccessKeyId": "CONTAINER", "SecretAccessKey": "c", "Token": "t",
            "Expiration": "2027-01-15T09:00:00.250Z"}
            """)

    private func get(
        _ bench: Bench, _ issuer: LocalIssuer
    ) async -> Result<Credentials, CredentialsUnavailable> {
        bench.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = issuer.url + "/v2/credentials?a=b"
        return await bench.get(bench.provider(CredentialSettings()))
    }

    @Test("The token comes from its file, which is read anew, or from the environment")
    func token() async throws {
        try await withBench { bench in
            let issuer = LocalIssuer { _ in Self.good }
            bench.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "from-environment"
            let credentials = try await get(bench, issuer).get()
            #expect(
                credentials
                    == Credentials(
                        accessKeyID: "CONTAINER", secretAccessKey: Secret("c"),
                        sessionToken: Secret("t")))
            bench.tree.write("token", "from-file\n")
            bench.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = bench.tree.at("token")
            _ = try await get(bench, issuer).get()
            #expect(
                issuer.requests.map { $0.headers["authorization"] } == [
                    "from-environment", "from-file",
                ])
            #expect(
                issuer.requests.map(\.target) == Array(repeating: "/v2/credentials?a=b", count: 2))
            bench.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/no/such/file"
            let missing = await get(bench, issuer)
            #expect(misconfiguration(missing)?.contains("/no/such/file") == true)
        }
    }

    @Test(
        "A refusal is a denial only with a listed code",
        arguments: [
            (400, #"{"code": "AccessDeniedException", "message": "no"}"#, "denied"),
            (403, #"{"Code": "ExpiredTokenException", "Message": "no"}"#, "denied"),
            (404, #"{"code": "ResourceNotFoundException"}"#, "misconfigured"),
            (403, "<html>", "misconfigured"), (403, "", "misconfigured"),
            (429, #"{"code": "AccessDeniedException"}"#, "unreachable"),
            (500, #"{"code": "AccessDeniedException"}"#, "unreachable"),
            (200, #"{"code": "AccessDeniedException"}"#, "unreachable"),
        ])
    func refusal(_ status: Int, _ body: String, _ expected: String) async throws {
        try await withBench { bench in
            let issuer = LocalIssuer { _ in .init(status: status, body: body) }
            let kind =
                switch await get(bench, issuer) {
                case .success: "session"
                case .failure(.denied): "denied"
                case .failure(.misconfigured): "misconfigured"
                case .failure(.unreachable): "unreachable"
                }
            #expect(kind == expected)
        }
    }

    @Test(
        "Plain HTTP is for addresses that do not leave the host",
        arguments: [
            ("https://anywhere.example/x", true), ("http://localhost:8080/x", true),
            ("http://127.0.0.1/x", true), ("http://127.9.8.7:1/x", true),
            ("http://[::1]:1/x", true),
            ("http://169.254.170.2/x", true), ("http://169.254.170.23/x", true),
            ("http://[fd00:ec2::23]/x", true), ("http://169.254.169.254/x", false),
            ("http://10.0.0.1/x", false), ("http://127.0.0.1.example.com/x", false),
            ("http://localhost@evil.example/x", false), ("http://127.1/x", false),
            ("http://localhost\\@evil.example/x", false), ("ftp://localhost/x", false), ("", false),
        ])
    func url(_ text: String, _ isAllowed: Bool) {
        #expect(ContainerURL(relative: nil, full: text)?.text == (isAllowed ? text : nil))
    }

    @Test("A profile that wants the container's credentials outside of one is told so")
    func outside() async throws {
        try await withBench { bench in
            bench.tree.write(
                "config",
                "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\n"
                    + "credential_source = EcsContainer\n")
            bench.variables = ["AWS_CONFIG_FILE": bench.tree.at("config")]
            let result = await bench.get(bench.provider(.init(base: .chain(profile: "p"))))
            #expect(misconfiguration(result)?.hasSuffix("FULL_URI is set") == true)
        }
    }

    @Test("A relative address is one of ECS")
    func relative() {
        #expect(
            ContainerURL(relative: "/v2/x", full: nil)?.text == "http://169.254.170.2/v2/x")
        #expect(ContainerURL(relative: "@evil.example/", full: nil) == nil)
    }
}
