import Configuration
import Glibc
import Model
import Testing

@Suite struct MainFileTests {
    private let sandbox = Sandbox()

    private func load(_ text: String) -> LoadedConfiguration {
        sandbox.write(text, to: "sluice.toml")
        sandbox.connector("orders", "bucket = \"acme\"\nformat = \"jsonl\"")
        return sandbox.load()
    }

    @Test("An empty file gives the defaults")
    func defaults() {
        var settings = load("").settings
        settings.connectors = []
        #expect(settings == Settings())
    }

    @Test("Every key is read")
    func everything() {
        let loaded = load(
            """
            log_format = "json"
            log_level = "debug"
            [spool]
            directory = "/srv/spool"
            minimum_free = "10GiB"
            unmatched = "discard"
            [identity]
            cluster = "prod-01"
            zone = "eu-1"
            partition = 3
            [http]
            listen = ["/run/other.sock", "127.0.0.1:9464", "[::1]:9464"]
            """)
        #expect(loaded.problemTexts == [])
        var expected = Settings()
        expected.log.format = .json
        expected.log.level = .debug
        expected.spool.directory = "/srv/spool"
        expected.spool.minimumFree = .bytes(ByteCount(10 << 30))
        expected.spool.unmatched = .discard
        expected.identity.cluster = "prod-01"
        expected.identity.zone = "eu-1"
        expected.identity.partition = 3
        expected.http.listen = [
            .unix(path: "/run/other.sock"), .loopback(address: "127.0.0.1", port: 9464),
            .loopback(address: "::1", port: 9464),
        ]
        expected.connectors = loaded.settings.connectors
        #expect(loaded.settings == expected)
        #expect(loaded.settings.connectors.count == 1)
    }

    @Test("A share of the disk may be kept free", arguments: [("0%", 0), ("5%", 5), ("90%", 90)])
    func share(text: String, percent: Int) {
        #expect(
            load("spool.minimum_free = \"\(text)\"").settings.spool.minimumFree == .percent(percent)
        )
    }

    @Test(
        "A value that cannot work is named with what would",
        arguments: [
            ("spool.directory = \"spool\"", "spool.directory: \"spool\" must be an absolute path"),
            ("spool.directory = \"//\"", "spool.directory: the root directory cannot be a spool"),
            (
                "spool.minimum_free = \"91%\"",
                "spool.minimum_free: \"91%\" must be a whole number from \"0%\" to \"90%\""
            ),
            (
                "spool.minimum_free = \"+5%\"",
                "spool.minimum_free: \"+5%\" must be a whole number from \"0%\" to \"90%\""
            ),
            (
                "spool.minimum_free = \"much\"",
                "spool.minimum_free: \"much\" is no share and no size; write \"5%\" or \"10GiB\""
            ),
            (
                "spool.unmatched = \"drop\"",
                "spool.unmatched: \"drop\" is unknown; it must be \"quarantine\" or \"discard\""
            ),
            (
                "identity.cluster = \"\"",
                "identity.cluster: must have 1 to 64 characters, and has 0"
            ),
            (
                "identity.zone = \"..\"",
                "identity.zone: \"..\" is a segment that many tools resolve"
            ),
            (
                "identity.zone = \"a/b\"",
                "identity.zone: \"a/b\" may only have A-Z, a-z, 0-9, \"_\", \".\" and \"-\""
            ),
            (
                "identity.partition = -1",
                "identity.partition: -1 is out of range; it must be from 0 to 2,147,483,647"
            ),
            (
                "http.listen = \"0.0.0.0:9464\"",
                "http.listen: \"0.0.0.0:9464\" is no loopback address; write \"127.0.0.1:9464\" or "
                    + "\"[::1]:9464\", for status must not leave this machine unprotected"
            ),
            (
                "http.listen = \"127.0.0.1:0\"",
                "http.listen: \"127.0.0.1:0\" must end with a port from 1 to 65535, like "
                    + "\"127.0.0.1:9464\""
            ),
            (
                "http.listen = \"http.sock\"",
                "http.listen: \"http.sock\" must be the absolute path of a Unix socket, like "
                    + "\"/run/sluice/http.sock\", or a loopback port, like \"127.0.0.1:9464\""
            ),
            ("http.listen = []", "http.listen: must name a Unix socket or a loopback port"),
            (
                "http.listen = [\"/a.sock\", \"/b.sock\"]",
                "http.listen: names two Unix sockets; sluicectl would not know which to ask"
            ),
            (
                "http.listen = [\"[::1]:9464\", \"[::1]:9464\"]",
                "http.listen: \"[::1]:9464\" stands there twice"
            ),
            (
                "http.listen = 9464",
                "http.listen: must be a string or a list of strings, not a whole number"
            ),
            (
                "http.listen = \"/\(String(repeating: "s", count: 107))\"",
                "http.listen: the path has 108 bytes; a Unix socket's may have 107"
            ),
            (
                "log_format = \"xml\"",
                "log_format: \"xml\" is unknown; it must be \"text\" or \"json\""
            ),
            ("[log]\nlevel = \"info\"", "log: unknown key"),
            (
                "[spool]\nlog_level = \"info\"",
                "spool.log_level: unknown key; it belongs at the top of the file, before the first [table]"
            ),
        ])
    func values(text: String, expected: String) {
        #expect(load(text).problemTexts == ["sluice.toml: " + expected])
    }

    @Test("A missing file says what to do, and a forbidden one that it is forbidden")
    func unreadable() {
        let missing = ConfigurationLoader.load(file: sandbox.path + "/other.toml", environment: [:])
        #expect(
            missing.problemTexts == [
                "other.toml: cannot be read: no such file or directory; "
                    + "copy the example, or name another with --config"
            ])
        #expect(missing.problems.map(\.isPermission) == [false])
        let directory = ConfigurationLoader.load(file: sandbox.path, environment: [:])
        #expect(directory.problems.first?.text == "cannot be read: not a regular file")
    }

    @Test(
        "A file that this user may not read is a problem of permission",
        .enabled(if: geteuid() != 0, "root may read every file"))
    func forbidden() {
        sandbox.write("", to: "sluice.toml", mode: 0)
        let loaded = sandbox.load()
        #expect(loaded.problemTexts == ["sluice.toml: cannot be read: permission denied"])
        #expect(loaded.problems.map(\.isPermission) == [true])
    }

    @Test("Neither a FIFO nor a huge file is waited for or read")
    func unusual() {
        let path = sandbox.path + "/sluice.toml"
        unlink(path)
        mkfifo(path, 0o600)
        #expect(sandbox.load().problemTexts == ["sluice.toml: cannot be read: not a regular file"])
        unlink(path)
        sandbox.write(
            [UInt8](repeating: UInt8(ascii: "\n"), count: (1 << 20) + 1), to: "sluice.toml")
        #expect(
            sandbox.load().problemTexts == [
                "sluice.toml: cannot be read: larger than 1 MiB, so it is no configuration"
            ])
    }
}

@Suite struct ConnectorDirectoryTests {
    private let sandbox = Sandbox()

    @Test(
        "Connectors come in the order of their names, and what is no connector's file is passed over"
    )
    func order() {
        for name in ["b", "a-b", "a", "sluice"] {
            sandbox.connector(name, "bucket = \"acme\"\nfolder = \"\(name)\"\nformat = \"jsonl\"")
        }
        for name in [
            ".hidden.toml", "a.toml~", "#a.toml#", "x.toml.example", "a.toml.dpkg-old",
            "a.toml.rpmsave",
        ] {
            sandbox.write("nonsense", to: "connectors.d/" + name)
        }
        let loaded = sandbox.load()
        #expect(loaded.problemTexts + loaded.warningTexts == [])
        #expect(loaded.settings.connectors.map(\.name.description) == ["a", "a-b", "b", "sluice"])
    }

    @Test(
        "A file under a name that no connector can have is a problem; one that is no TOML, a warning"
    )
    func names() {
        sandbox.connector("Orders", "")
        sandbox.write("", to: "connectors.d/README")
        let loaded = sandbox.load()
        #expect(
            loaded.problemTexts == [
                "connectors.d/Orders.toml: is not named for a connector; a name has 1 to 63 of a-z, 0-9 "
                    + "and \"-\", begins with a letter or digit, and ends in .toml here"
            ])
        #expect(
            loaded.warningTexts == [
                "connectors.d/README: is not read; the files of connectors end in .toml"
            ])
    }

    @Test("No connector and no directory of connectors are warnings")
    func none() {
        #expect(
            sandbox.load().warningTexts == [
                "connectors.d: has no connector, so no event is wanted by anyone"
            ])
        rmdir(sandbox.path + "/connectors.d")
        let loaded = sandbox.load()
        #expect(loaded.warningTexts == ["connectors.d: does not exist, so there is no connector"])
        #expect(loaded.problemTexts == [])
    }
}
