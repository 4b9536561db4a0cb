import Curl
import Delivery
import Digest
import Model
import Signing
import Support
import Testing

@testable import Credentials

/// Roles, asked from a scripted STS.
@Suite(.timeLimit(.minutes(1)))
struct RoleTests {
    private static let arn = "arn:aws:iam::123456789012:role/sluice"

    private func settings(_ issuer: LocalIssuer) -> CredentialSettings {
        var role = CredentialSettings.Role(
            arn: Self.arn, externalID: "a:b/c+d", sessionName: "sluice-orders")
        role.duration = .seconds(7200)
        var settings = CredentialSettings(role: role)
        settings.stsEndpoint = issuer.url
        return settings
    }

    private let keys = ["AWS_ACCESS_KEY_ID": "AKIABASE", "AWS_SECRET_ACCESS_KEY": "base"]

    @Test("A role is assumed by a signed form, with all that the settings say")
    func request() async throws {
        try await withBench { bench in
            bench.variables = keys
            let issuer = LocalIssuer { _ in STSText.session() }
            let provider = bench.provider(settings(issuer)) { $0.region = "eu-west-1" }
            let credentials = try await bench.get(provider).get()
            #expect(
                credentials
                    == Credentials(
                        accessKeyID: "ASIAROLE", secretAccessKey: Secret("secret+/ASIAROLE"),
                        sessionToken: Secret("tok")))
            let request = try #require(issuer.requests.first)
            #expect(request.method == "POST" && request.target == "/")
            let expected = [
                "Action": "AssumeRole", "Version": "2011-06-15", "ExternalId": "a%3Ab%2Fc%2Bd",
                "RoleArn": "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fsluice",
                "RoleSessionName": "sluice-orders", "DurationSeconds": "7200",
            ]
            for (name, value) in expected { #expect(request.parameter(name) == value, "\(name)") }
            let authorization = try #require(request.headers["authorization"])
            #expect(
                authorization.contains("Credential=AKIABASE/20270115/eu-west-1/sts/aws4_request"))
            #expect(request.headers["host"] == "127.0.0.1:\(issuer.port)")
        }
    }

    @Test("A role that gives less time is asked for an hour, and that is remembered")
    func duration() async throws {
        try await withBench { bench in
            bench.variables = keys
            let issuer = LocalIssuer { request in
                request.parameter("DurationSeconds") == "3600"
                    ? STSText.session()
                    : STSText.refusal(
                        "ValidationError",
                        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
                        status: 400)
            }
            let provider = bench.provider(settings(issuer))
            _ = try await bench.get(provider).get()
            provider.forget()
            _ = try await bench.get(provider).get()
            #expect(
                issuer.requests.map { $0.parameter("DurationSeconds") } == ["7200", "3600", "3600"])
        }
    }

    @Test(
        "What STS says is a denial only with a listed code, a 4xx and a request ID",
        arguments: STSRefusal.denials.sorted())
    func denied(_ code: String) async throws {
        try await withBench { bench in
            bench.variables = keys
            let issuer = LocalIssuer { _ in STSText.refusal(code) }
            let provider = bench.provider(settings(issuer))
            let cause = Cause(
                code: code, message: "no", requestID: "42", date: bench.wallClock, issuer: "STS")
            #expect(await bench.get(provider) == .failure(.denied(cause)))
            issuer.answer = { _ in STSText.refusal(code, requestID: nil) }
            #expect(await isUnreachable(bench.get(provider)))
            issuer.answer = { _ in STSText.refusal(code, status: 503) }
            #expect(await isUnreachable(bench.get(provider)))
        }
    }

    @Test(
        "Other answers are no denial",
        arguments: [
            (STSText.refusal("RegionDisabledException"), true),
            (STSText.refusal("ValidationError", status: 400), true),
            (STSText.refusal("MalformedPolicyDocument", status: 400), true),
            (STSText.refusal("SomethingNew"), true),
            (STSText.refusal("Throttling", status: 400), false),
            (STSText.refusal("IDPCommunicationError", status: 400), false),
            (STSText.refusal("AccessDenied", status: 429), false),
            (LocalIssuer.Answer(status: 403, body: "<html>Forbidden</html>"), false),
            (.init(status: 407), false), (.init(status: 200, body: "<html>Welcome</html>"), false),
            (.init(status: 200, body: ""), false), (.init(status: 301), false),
            (STSText.session(until: "2027-01-15T08:00:00Z"), false),
        ] as [(LocalIssuer.Answer, Bool)])
    func other(_ answer: LocalIssuer.Answer, _ isMisconfigured: Bool) async throws {
        try await withBench { bench in
            bench.variables = keys
            let issuer = LocalIssuer { _ in answer }
            let result = await bench.get(bench.provider(settings(issuer)))
            #expect((misconfiguration(result) != nil) == isMisconfigured, "\(result)")
            #expect(isUnreachable(result) != isMisconfigured, "\(result)")
        }
    }

    @Test("A wrong clock is no wrong key: the request is signed again with the time of STS")
    func clock() async throws {
        try await withBench { bench in
            bench.variables = keys
            bench.wallClock.unixSeconds += 25 * 3600
            let issuer = LocalIssuer { request in
                request.headers["x-amz-date"]?.hasPrefix("20270115") == true
                    ? STSText.session()
                    : STSText.refusal("SignatureDoesNotMatch", "Signature not yet current")
            }
            let provider = bench.provider(settings(issuer))
            _ = try await bench.get(provider).get()
            #expect(issuer.requests.count == 2)
            // By the clock of STS, the session lasts an hour.
            bench.pass(.seconds(3500))
            await bench.until { issuer.requests.count == 3 }
        }
    }

    @Test("A wrong key stays a denial, whatever the clock says")
    func clockAndKey() async throws {
        try await withBench { bench in
            bench.variables = keys
            bench.wallClock.unixSeconds -= 400 * 86_400
            let issuer = LocalIssuer { _ in STSText.refusal("SignatureDoesNotMatch") }
            let result = await bench.get(bench.provider(settings(issuer)))
            #expect(issuer.requests.count == 2)
            guard case .failure(.denied(let cause)) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(cause.date == Timestamp(unixSeconds: 1_800_000_000))
        }
    }

    @Test("Nobody there, or nobody who answers, is unreachable")
    func unreachable() async throws {
        try await withBench { bench in
            bench.variables = keys
            var nowhere = CredentialSettings(
                role: .init(arn: Self.arn, sessionName: "sluice-orders"))
            nowhere.stsEndpoint = "http://127.0.0.1:1"
            #expect(await isUnreachable(bench.get(bench.provider(nowhere))))

            let issuer = LocalIssuer { _ in .init(isSilent: true) }
            let provider = bench.provider(settings(issuer))
            var result: Result<Credentials, CredentialsUnavailable>?
            provider.credentials { result = $0 }
            await bench.until { issuer.requests.count == 1 }
            #expect(result == nil)
            bench.pass(RefreshingCredentials.longestFetch)
            #expect(result.map(isUnreachable) == true)
        }
    }

    @Test("No answer of STS shows a secret in what people read")
    func secrets() async throws {
        try await withBench { bench in
            bench.variables = keys
            let issuer = LocalIssuer { _ in
                .init(
                    body:
                        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId>"
                        + "<SecretAccessKey>hush</SecretAccessKey></Credentials>")
            }
            let result = await bench.get(bench.provider(settings(issuer)))
            #expect(isUnreachable(result))
            #expect(!"\(result)".contains("hush"))
        }
    }

    @Test(
        "A token is exchanged for a session without a signature",
        arguments: [("eyJ.a.b", "eyJ.a.b", 1), ("a+/=&b", "a%2B%2F%3D%26b", 10_000)])
    func webIdentity(piece: String, encoded: String, times: Int) async throws {
        try await withBench { bench in
            bench.tree.write("token", String(repeating: piece, count: times) + "\n")
            bench.variables = [
                "AWS_WEB_IDENTITY_TOKEN_FILE": bench.tree.at("token"), "AWS_ROLE_ARN": Self.arn,
            ]
            let issuer = LocalIssuer { _ in
                STSText.session(action: "AssumeRoleWithWebIdentity")
            }
            var settings = CredentialSettings()
            settings.stsEndpoint = issuer.url
            let credentials = try await bench.get(bench.provider(settings)).get()
            #expect(credentials.accessKeyID == "ASIAROLE")
            let request = try #require(issuer.requests.first)
            #expect(request.headers["authorization"] == nil)
            #expect(request.parameter("Action") == "AssumeRoleWithWebIdentity")
            let sent = request.parameter("WebIdentityToken")
            let isWhole = sent == String(repeating: encoded, count: times)
            #expect(isWhole)
            #expect(request.parameter("RoleSessionName") == "sluice-orders")
        }
    }

    nonisolated struct Place: Sendable {
        var region: String?
        var arn = "arn:aws:iam::123456789012:role/r"
        var dualStack = false
        var fips = false
        var override: String?
        var origin: String
    }

    nonisolated static let places = [
        Place(region: "eu-west-1", origin: "https://sts.eu-west-1.amazonaws.com"),
        Place(origin: "https://sts.us-east-1.amazonaws.com"),
        Place(
            arn: "arn:aws-cn:iam::123456789012:role/r",
            origin: "https://sts.cn-northwest-1.amazonaws.com.cn"),
        Place(
            arn: "arn:aws-us-gov:iam::123456789012:role/r",
            origin: "https://sts.us-gov-west-1.amazonaws.com"),
        Place(region: "us-west-2", dualStack: true, origin: "https://sts.us-west-2.api.aws"),
        Place(region: "us-west-2", fips: true, origin: "https://sts-fips.us-west-2.amazonaws.com"),
        Place(
            region: "us-west-2", dualStack: true, fips: true,
            origin: "https://sts-fips.us-west-2.api.aws"),
        Place(
            region: "us-gov-east-1", fips: true, origin: "https://sts.us-gov-east-1.amazonaws.com"),
        Place(
            region: "us-gov-east-1", dualStack: true, fips: true,
            origin: "https://sts-fips.us-gov-east-1.api.aws"),
        Place(
            region: "cn-north-1", dualStack: true,
            origin: "https://sts.cn-north-1.api.amazonwebservices.com.cn"),
        Place(override: "https://STS.example:443", origin: "https://sts.example:443"),
    ]

    @Test("STS is asked in the region, by the right name", arguments: places)
    func endpoint(_ place: Place) {
        let endpoint = STSEndpoint(
            override: place.override, region: place.region, roleARN: place.arn,
            dualStack: place.dualStack, fips: place.fips)
        #expect(endpoint.origin == place.origin)
    }

    @Test(
        "The variants of each partition are those of botocore",
        .enabled(if: EndpointOracle.isAvailable))
    func variants() throws {
        let lines = try #require(EndpointOracle.lines(service: "sts"))
        #expect(lines.count > 40)
        for line in lines {
            let endpoint = STSEndpoint(
                override: nil, region: line.region, roleARN: Self.arn, dualStack: line.dualStack,
                fips: line.fips)
            #expect(endpoint.origin == line.origin)
        }
    }

    @Test("The port of the scheme is not part of the signed host")
    func host() {
        for (origin, host) in [
            ("https://sts.example:443", "sts.example"), ("http://a:80", "a"),
            ("http://a:443", "a:443"),
        ] {
            let endpoint = STSEndpoint(
                override: origin, region: nil, roleARN: Self.arn, dualStack: false, fips: false)
            #expect(endpoint.host == host)
        }
    }
}

func isUnreachable(_ result: Result<Credentials, CredentialsUnavailable>) -> Bool {
    if case .failure(.unreachable) = result { true } else { false }
}
