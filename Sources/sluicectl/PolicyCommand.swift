import ArgumentParser
import Configuration
import Model

/// `sluicectl policy`: the IAM policy that connectors need.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Prints the IAM policy that connectors need.",
        discussion: """
            The policy goes to stdout as JSON: one document for all that are named, with the exact \
            buckets and folders, for the user whose keys they use. What it cannot say goes to \
            stderr.

            Examples:
              sluicectl policy orders
              sluicectl policy orders clicks > policy.json

            Exit status: 0 where it is printed, 1 where there is no such connector, 77 where its \
            file may not be read, 78 where the configuration is wrong.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Argument(
        help: ArgumentHelp(
            "Connectors, or files of connectors that are not installed yet.",
            valueName: "connector"))
    var connectors: [String]

    func run() throws {
        let settings = try connectors.map { try options.loadConnector($0).connector }
        let policy = AccessPolicy(settings)
        Output.data(policy.json.indented)
        for remark in policy.remarks { Output.error(Output.plain(remark)) }
    }
}
