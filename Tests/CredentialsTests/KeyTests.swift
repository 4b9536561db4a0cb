import Curl
import Delivery
import Digest
import Dispatch
import Model
import Signing
import Support
import Testing

@testable import Credentials

/// Keys from files and from the environment.
@Suite(.timeLimit(.minutes(1)))
struct KeyTests {
    @Test("Keys come from the environment, and are fixed until a restart")
    func environment() async throws {
        try await withBench { bench in
            bench.variables = [
                "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s3cret",
                "AWS_SESSION_TOKEN": "t",
            ]
            let provider = bench.provider(CredentialSettings())
            let credentials = try await bench.get(provider).get()
            #expect(
                credentials
                    == Credentials(
                        accessKeyID: "AKID", secretAccessKey: Secret("s3cret"),
                        sessionToken: Secret("t")))
            #expect(provider.isFixedUntilRestart)
        }
    }

    @Test(
        "The secret is the one line of its file",
        arguments: [
            ("s3cret\n", "s3cret"), ("  s3cret \r\n\n", "s3cret"), ("", nil), ("\n", nil),
            ("one\ntwo\n", nil), ("s\u{e9}cret", nil),
        ])
    func file(_ content: String, _ expected: String?) async throws {
        try await withBench { bench in
            bench.tree.write("secret", content)
            let provider = bench.provider(keys(bench.tree.at("secret")))
            let secret = try? await bench.get(provider).get().secretAccessKey
            #expect(secret == expected.map { Secret($0) })
            #expect(!provider.isFixedUntilRestart)
        }
    }

    @Test("A bare name lies in $CREDENTIALS_DIRECTORY, and is fixed until a restart")
    func credential() async throws {
        try await withBench { bench in
            bench.tree.write("orders.secret", "s3cret")
            bench.variables = ["CREDENTIALS_DIRECTORY": bench.tree.path]
            for name in ["orders.secret", bench.tree.at("orders.secret")] {
                let provider = bench.provider(keys(name))
                let credentials = try await bench.get(provider).get()
                #expect(credentials.secretAccessKey == Secret("s3cret"))
                #expect(provider.isFixedUntilRestart)
            }
        }
    }

    @Test("A bare name without a directory of credentials is explained")
    func noDirectory() async throws {
        try await withBench { bench in
            let result = await bench.get(bench.provider(keys("orders.secret")))
            let text = misconfiguration(result)
            #expect(text?.contains("\"orders.secret\"") == true)
            #expect(text?.contains("LoadCredential=") == true)
        }
    }

    private func keys(_ file: String) -> CredentialSettings {
        CredentialSettings(
            base: .keys(accessKeyID: "AKID", secretFile: file, sessionTokenFile: nil))
    }
}
