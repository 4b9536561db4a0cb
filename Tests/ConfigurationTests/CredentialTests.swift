import Configuration
import Glibc
import Model
import Testing

@Suite struct CredentialTests {
    private let sandbox = Sandbox()

    private func load(_ credentials: String, _ environment: [String: String] = [:])
        -> LoadedConfiguration
    {
        sandbox.connector(
            "orders", "bucket = \"acme\"\nformat = \"jsonl\"\n[credentials]\n" + credentials)
        return sandbox.load(environment)
    }

    private func problem(_ text: String) -> [String] {
        ["connectors.d/orders.toml: credentials." + text]
    }

    @Test("A relative name is a credential of the unit")
    func relative() {
        sandbox.write("secret", to: "orders.secret", mode: 0o400)
        let text = "access_key_id = \"AKIA\"\nsecret_access_key_file = \"orders.secret\""
        let loaded = load(text, ["CREDENTIALS_DIRECTORY": sandbox.path])
        #expect(loaded.problemTexts + loaded.warningTexts == [])
        #expect(
            loaded.settings.connectors.map(\.credentials) == [
                CredentialSettings(
                    base: .keys(
                        accessKeyID: "AKIA", secretFile: sandbox.path + "/orders.secret",
                        sessionTokenFile: nil))
            ])
    }

    @Test("Outside of a unit a relative name is a warning that says so, and stays as it is")
    func noDirectory() {
        let text = "access_key_id = \"AKIA\"\nsecret_access_key_file = \"orders.secret\""
        let loaded = load(text)
        #expect(loaded.problemTexts == [])
        #expect(
            loaded.warningTexts
                == problem(
                    "secret_access_key_file: \"orders.secret\" lies in $CREDENTIALS_DIRECTORY, which is "
                        + "not set here; systemd sets it for a unit with "
                        + "LoadCredential=orders.secret:PATH"))
        #expect(
            loaded.settings.connectors.map(\.credentials) == [
                CredentialSettings(
                    base: .keys(
                        accessKeyID: "AKIA", secretFile: "orders.secret", sessionTokenFile: nil))
            ])
    }

    @Test(
        "A secret that others may read or write is a problem",
        arguments: [(0o400, true), (0o640, true), (0o644, false), (0o604, false), (0o602, false)]
            as [(mode_t, Bool)])
    func modes(mode: mode_t, isFine: Bool) {
        let path = sandbox.write("secret", to: "s", mode: mode)
        let loaded = load("access_key_id = \"AKIA\"\nsecret_access_key_file = \"\(path)\"")
        #expect(loaded.warningTexts == [])
        #expect(
            loaded.problemTexts
                == (isFine
                    ? []
                    : problem(
                        "secret_access_key_file: \"\(path)\" is open to every user of this machine; "
                            + "run \"chmod o-rwx \(path)\"")))
    }

    @Test("A session token is a secret, too")
    func token() {
        let secret = sandbox.write("secret", to: "s", mode: 0o400)
        let token = sandbox.write("token", to: "t", mode: 0o444)
        let loaded = load(
            """
            access_key_id = "AKIA"
            secret_access_key_file = "\(secret)"
            session_token_file = "\(token)"
            """)
        #expect(
            loaded.problemTexts
                == problem(
                    "session_token_file: \"\(token)\" is open to every user of this machine; "
                        + "run \"chmod o-rwx \(token)\""))
    }

    @Test("A secret that is missing, empty or no file is a warning: it may come later")
    func missing() {
        let empty = sandbox.write("", to: "empty", mode: 0o400)
        for (path, reason) in [
            ("/nowhere/secret", "cannot be read: no such file or directory"), (empty, "is empty"),
            (sandbox.path, "is not a file"),
        ] {
            let loaded = load("access_key_id = \"AKIA\"\nsecret_access_key_file = \"\(path)\"")
            #expect(loaded.problemTexts == [])
            #expect(loaded.warningTexts == problem("secret_access_key_file: \"\(path)\" \(reason)"))
        }
    }

    @Test("A secret in the configuration itself is refused and not repeated")
    func secretInPlace() {
        let loaded = load("access_key_id = \"AKIA\"\nsecret_access_key = \"wJalrXUtn\"")
        #expect(loaded.problemTexts.count == 2)
        #expect(
            loaded.problemTexts.first
                == problem(
                    "secret_access_key: a secret does not belong here: write it into a file that only "
                        + "root and sluice may read, name that file in secret_access_key_file, and make "
                        + "this secret invalid if others have seen it"
                ).first)
        #expect(!loaded.problemTexts.contains { $0.contains("wJalrXUtn") })
    }

    @Test(
        "Half of a pair of keys is a contradiction",
        arguments: [
            ("access_key_id = \"A\"", "secret_access_key_file: is missing; access_key_id needs it"),
            (
                "secret_access_key_file = \"s\"",
                "access_key_id: is missing; secret_access_key_file needs it"
            ),
            (
                "session_token_file = \"s\"",
                "access_key_id: is missing; session_token_file needs it"
            ),
        ])
    func half(text: String, expected: String) {
        #expect(load(text, Sandbox.keys).problemTexts == problem(expected))
    }

    @Test(
        "What is no key ID or no name of a file is refused",
        arguments: [
            (
                "access_key_id = \"a/b\"\nsecret_access_key_file = \"s\"",
                "access_key_id: is no key ID; it has 1 to 128 of A-Z, a-z, 0-9, \"_\", \".\" and \"-\""
            ),
            (
                "access_key_id = \"A\"\nsecret_access_key_file = \"../s\"",
                "secret_access_key_file: \"../s\" is neither an absolute path nor the name of a credential"
            ),
            (
                "access_key_id = \"A\"\nsecret_access_key_file = \"\"",
                "secret_access_key_file: \"\" is neither an absolute path nor the name of a credential"
            ),
        ])
    func malformed(text: String, expected: String) {
        #expect(load(text).problemTexts == problem(expected))
    }

    @Test("Without keys, credentials are looked for in the usual places, and nothing is wrong")
    func chain() {
        let loaded = load("", [:])
        #expect(loaded.problemTexts + loaded.warningTexts == [])
        #expect(loaded.settings.connectors.map(\.credentials) == [CredentialSettings()])
        #expect(
            load("profile = \"events\"").settings.connectors.map(\.credentials.base)
                == [.chain(profile: "events")])
    }
}
