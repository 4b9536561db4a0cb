import Configuration
import Glibc
import Model
import Testing

@Suite("The outline of a configuration")
struct OutlineTests {
    private let sandbox = Sandbox()

    private func outline() -> ConfigurationOutline {
        ConfigurationLoader.loadOutline(file: sandbox.path + "/sluice.toml")
    }

    @Test("It has the settings and the names of connectors, however wrong their files are")
    func names() {
        sandbox.write("[spool]\ndirectory = \"/srv/spool\"\n", to: "sluice.toml")
        sandbox.connector("web", "bucket = ")
        sandbox.connector("orders", "")
        sandbox.write("", to: "connectors.d/Not a name.toml")
        let outline = outline()
        #expect(outline.main.problems == [])
        #expect(outline.main.settings.spool.directory == "/srv/spool")
        #expect(outline.connectors?.map(\.description) == ["orders", "web"])
    }

    @Test("What is wrong in sluice.toml is told")
    func problems() {
        sandbox.write("[spol]\n", to: "sluice.toml")
        #expect(
            outline().main.problemTexts.first?.hasPrefix("sluice.toml: spol: unknown key") == true)
    }

    @Test("Without connectors.d there are no names")
    func noDirectory() {
        rmdir(sandbox.path + "/connectors.d")
        #expect(outline().connectors == [])
    }
}
