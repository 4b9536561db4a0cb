import Delivery
import Digest
import Glibc
import Model
import Signing
import Support
import Testing

@testable import Credentials

/// When sessions are renewed, and what happens where that fails.
@Suite(.timeLimit(.minutes(1)))
struct RefreshTests {
    @Test(
        "Renewal is ahead of the end, by five minutes or a quarter, and up to half as much again",
        arguments: [
            (3600, 0.0, 3300.0, 3540.0), (3600, 1.0, 3150.0, 3540.0),
            (43_200, 0.5, 42_825.0, 43_140.0),
            (900, 0.0, 675.0, 840.0), (60, 0.0, 45.0, 54.0), (60, 1.0, 37.5, 54.0),
        ])
    func times(_ lifetime: Int, _ random: Double, _ renewal: Double, _ mandatory: Double) {
        #expect(
            RefreshPolicy.times(lifetime: .seconds(lifetime), random: random)
                == .init(renewal: .seconds(renewal), mandatory: .seconds(mandatory)))
    }

    @Test("Requests at one time share one fetch, and later ones need none")
    func shared() async throws {
        try await withBench { bench in
            let (provider, source) = bench.provider()
            var results: [String] = []
            for _ in 0..<3 { provider.credentials { results.append(name($0)) } }
            #expect(source.pending.count == 1)
            source.give("A", .seconds(3600))
            #expect(results == ["A", "A", "A"])
            provider.credentials { results.append(name($0)) }
            #expect(results.count == 4 && source.fetches == 1)
        }
    }

    @Test("A session is renewed by the timer though nobody asks, and the owner is told")
    func ahead() async throws {
        try await withBench { bench in
            let (provider, source) = bench.provider()
            #expect(bench.ask(provider, source, "A", .seconds(3600)) == "A")
            bench.pass(.seconds(3299))
            #expect(source.fetches == 1)
            bench.pass(.seconds(1))
            #expect(source.fetches == 2)
            // While it is on its way, the old one is good.
            #expect(bench.ask(provider) == "A")
            source.give("B", .seconds(3600))
            #expect(bench.ask(provider) == "B")
            #expect(bench.events == [.refreshed(until: Timestamp(unixSeconds: 1_800_003_600))])
        }
    }

    @Test(
        "A failed renewal is tried again and told once; the session is used to its end, not after")
    func failing() async throws {
        try await withBench { bench in
            let (provider, source) = bench.provider()
            _ = bench.ask(provider, source, "A", .seconds(3600))
            bench.pass(.seconds(3300))
            let reason = CredentialsUnavailable.unreachable("sts does not answer")
            while bench.uptime < Instant(nanoseconds: 0) + .seconds(3599) {
                if !source.pending.isEmpty { source.fail(reason) }
                #expect(bench.ask(provider) == "A")
                bench.pass(.seconds(1))
            }
            if !source.pending.isEmpty { source.fail(reason) }
            #expect(source.fetches > 5)
            #expect(
                bench.events == [
                    .refreshFailed(reason, until: Timestamp(unixSeconds: 1_800_003_600))
                ])
            bench.pass(.seconds(2))
            let before = source.fetches
            var result: Result<Credentials, CredentialsUnavailable>?
            provider.credentials { result = $0 }
            #expect(source.fetches == before + 1 && result == nil)
            source.fail(reason)
            #expect(result == .failure(reason))
            // Nobody asks any more, so nobody is asked.
            bench.pass(.seconds(86_400))
            #expect(source.fetches == before + 1)
        }
    }

    @Test("A denied renewal leaves the session as it is, and is told by its code")
    func denied() async throws {
        try await withBench { bench in
            let (provider, source) = bench.provider()
            _ = bench.ask(provider, source, "A", .seconds(3600))
            bench.pass(.seconds(3300))
            source.fail(.denied(Cause(code: "AccessDenied", requestID: "1")))
            bench.pass(.seconds(120))
            source.fail(.denied(Cause(code: "AccessDenied", requestID: "2")))
            #expect(bench.events.count == 1)
            #expect(bench.ask(provider) == "A")
            bench.pass(.seconds(100))
            source.fail(.unreachable("gone"))
            #expect(bench.events.count == 2)
        }
    }

    @Test("In the last minute a request waits for the renewal, and gets the old one if it fails")
    func mandatory() async throws {
        try await withBench { bench in
            let (provider, source) = bench.provider()
            _ = bench.ask(provider, source, "A", .seconds(3600))
            bench.pass(.seconds(3300))
            bench.uptime = bench.uptime + .seconds(250)
            var result: String?
            provider.credentials { result = name($0) }
            #expect(result == nil && source.fetches == 2)
            source.fail(.unreachable("gone"))
            #expect(result == "A")
            // Not each request tries it anew.
            #expect(bench.ask(provider) == "A")
            #expect(source.fetches == 2)
        }
    }

    @Test("After an authentication error the session is fetched anew, also one that is on its way")
    func forget() async throws {
        try await withBench { bench in
            let (provider, source) = bench.provider()
            _ = bench.ask(provider, source, "A", .seconds(3600))
            provider.forget()
            var result: String?
            provider.credentials { result = name($0) }
            provider.forget()
            source.give("B", .seconds(3600))
            #expect(result == nil && source.fetches == 3)
            source.give("C", .seconds(3600))
            #expect(result == "C")
        }
    }

    @Test("A session that has expired when it comes is none")
    func expired() async throws {
        try await withBench { bench in
            let (provider, source) = bench.provider()
            var result: Result<Credentials, CredentialsUnavailable>?
            provider.credentials { result = $0 }
            source.give("A", .zero)
            #expect(result.map(isUnreachable) == true)
        }
    }

    @Test("Sleep counts: a session does not outlive its end because the machine slept")
    func sleep() async throws {
        try await withBench { bench in
            let (provider, source) = bench.provider()
            _ = bench.ask(provider, source, "A", .seconds(3600))
            bench.uptime = bench.uptime + .seconds(7200)
            var result: String?
            provider.credentials { result = name($0) }
            #expect(result == nil && source.fetches == 2)
        }
    }

    @Test("The wall clock has no say in it", arguments: [-400 * 86_400, -25 * 3600, 25 * 3600])
    func wallClock(_ jump: Int64) async throws {
        try await withBench { bench in
            let (provider, source) = bench.provider()
            _ = bench.ask(provider, source, "A", .seconds(3600))
            bench.wallClock.unixSeconds += jump
            bench.pass(.seconds(3299))
            #expect(bench.ask(provider) == "A")
            #expect(source.fetches == 1)
        }
    }

    @Test("A provider that is let go asks nobody any more")
    func released() async throws {
        try await withBench { bench in
            var (provider, source): (RefreshingCredentials?, ManualSource) = bench.provider()
            if let provider { _ = bench.ask(provider, source, "A", .seconds(3600)) }
            weak let watched = provider
            provider = nil
            #expect(watched == nil)
            bench.pass(.seconds(86_400))
            #expect(source.fetches == 1)
        }
    }
}

/// A file that changes under a provider.
@Suite(.timeLimit(.minutes(1)))
struct ChangedFileTests {
    @Test(
        "A secret that was replaced is read again, and the owner is told",
        arguments: ["rewritten", "renamed", "linked", "removed"])
    func replaced(_ how: String) async throws {
        try await withBench { bench in
            let tree = bench.tree
            tree.makeDirectory("one")
            tree.makeDirectory("two")
            tree.write("one/secret", "first")
            tree.write("two/secret", "second")
            // As Kubernetes does it: secret -> ..data/secret, ..data -> one.
            symlink("one", tree.at("..data"))
            symlink("..data/secret", tree.at("secret"))
            let settings = CredentialSettings(
                base: .keys(
                    accessKeyID: "A", secretFile: tree.at("secret"), sessionTokenFile: nil))
            let provider = bench.provider(settings)
            let first = try await bench.get(provider).get()
            #expect(first.secretAccessKey == Secret("first"))
            switch how {
            case "rewritten":
                truncate(tree.at("one/secret"), 0)
                tree.write("one/secret", "second")
            case "renamed":
                rename(tree.at("two/secret"), tree.at("one/secret"))
            case "linked":
                symlink("two", tree.at("..new"))
                rename(tree.at("..new"), tree.at("..data"))
            default:
                remove(tree.at("one/secret"))
            }
            await bench.until {
                bench.pass(.milliseconds(100))
                return bench.events.contains(.changed)
            }
            let result = await bench.get(provider)
            if how == "removed" {
                #expect(misconfiguration(result)?.contains("cannot be read") == true)
                tree.write("one/secret", "second")
                await bench.until {
                    bench.pass(.milliseconds(100))
                    return bench.events.filter { $0 == .changed }.count > 1
                }
                let second = try await bench.get(provider).get()
                #expect(second.secretAccessKey == Secret("second"))
            } else {
                #expect(try result.get().secretAccessKey == Secret("second"))
            }
        }
    }

    @Test("A file that comes later is seen, with the directories that it lies in")
    func comesLater() async throws {
        try await withBench { bench in
            let path = bench.tree.at("a/b/secret")
            let provider = bench.provider(
                CredentialSettings(
                    base: .keys(accessKeyID: "A", secretFile: path, sessionTokenFile: nil)))
            let missing = await bench.get(provider)
            #expect(misconfiguration(missing) != nil)
            bench.tree.makeDirectory("a")
            bench.tree.makeDirectory("a/b")
            bench.tree.write("a/b/secret", "first")
            // Well below a minute, after which it would look by itself.
            let start = bench.uptime
            await bench.until {
                bench.pass(.milliseconds(1))
                return bench.events.contains(.changed)
            }
            #expect(bench.uptime - start < .seconds(59))
            let credentials = try await bench.get(provider).get()
            #expect(credentials.secretAccessKey == Secret("first"))
        }
    }

    @Test("A session goes on being used while its changed file is of no use")
    func session() async throws {
        try await withBench { bench in
            bench.tree.write("secret", "first")
            var role = CredentialSettings.Role(
                arn: "arn:aws:iam::123456789012:role/r", sessionName: "s")
            role.duration = .seconds(3600)
            var settings = CredentialSettings(
                base: .keys(
                    accessKeyID: "A", secretFile: bench.tree.at("secret"), sessionTokenFile: nil),
                role: role)
            let issuer = LocalIssuer { _ in STSText.session() }
            settings.stsEndpoint = issuer.url
            let provider = bench.provider(settings)
            _ = try await bench.get(provider).get()
            remove(bench.tree.at("secret"))
            await bench.until {
                bench.pass(.milliseconds(100))
                return bench.events.contains(.changed)
            }
            let credentials = try await bench.get(provider).get()
            #expect(credentials.accessKeyID == "ASIAROLE")
            guard case .refreshFailed(.misconfigured, _) = bench.events.last else {
                Issue.record("\(bench.events)")
                return
            }
        }
    }
}

/// A source that answers when a test says so.
final class ManualSource: CredentialSource {
    private(set) var pending: [(SessionResult) -> Void] = []
    private(set) var fetches = 0

    func fetch(_ fetch: Fetch, _ completion: @escaping (SessionResult) -> Void) {
        fetches += 1
        pending.append(completion)
    }

    func give(_ name: String, _ lifetime: Duration?) {
        let credentials = Credentials(accessKeyID: name, secretAccessKey: Secret("s"))
        pending.removeFirst()(.success(Session(credentials: credentials, lifetime: lifetime)))
    }

    func fail(_ reason: CredentialsUnavailable) {
        pending.removeFirst()(.failure(reason))
    }
}

extension Bench {
    func provider() -> (RefreshingCredentials, ManualSource) {
        let source = ManualSource()
        return (provider(from: source), source)
    }

    /// What is given at once; nil where it takes a fetch.
    func ask(_ provider: RefreshingCredentials) -> String? {
        var result: String?
        provider.credentials { result = name($0) }
        return result
    }

    /// What is given with a fetch that gives this session.
    func ask(
        _ provider: RefreshingCredentials, _ source: ManualSource, _ key: String,
        _ lifetime: Duration
    ) -> String? {
        var result: String?
        provider.credentials { result = name($0) }
        source.give(key, lifetime)
        return result
    }
}

private func name(_ result: Result<Credentials, CredentialsUnavailable>) -> String {
    switch result {
    case .success(let credentials): credentials.accessKeyID
    case .failure(let reason): "\(reason)"
    }
}
