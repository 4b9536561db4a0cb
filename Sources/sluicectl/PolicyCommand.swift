import ArgumentParser
import Configuration
import Dispatch
import Glibc
import Model

/// `sluicectl policy`: the IAM policies that connectors need.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Prints the IAM policy that connectors need.",
        discussion: """
            The policy goes to stdout as JSON: one document for all that are named, with the exact \
            buckets and folders, for the user or role whose credentials they use. What it cannot \
            say goes to stderr.

            For a connector with a role_arn, the trust policy of the role comes after it, with the \
            external ID. Who may assume the role is --principal: an ARN, or the number of an \
            account. Without it, it is the account of the credentials that will assume it, for \
            which STS is asked.

            Examples:
              sluicectl policy orders
              sluicectl policy orders clicks --only permissions > policy.json
              sluicectl policy orders --only trust --principal 123456789012 > trust.json

            Exit status: 0 where it is printed, 1 where there is no such connector or the \
            principal cannot be found out, 77 where a file may not be read, 78 where the \
            configuration is wrong.
            """)

    enum Document: String, CaseIterable, ExpressibleByArgument {
        case permissions, trust
    }

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp(
            "Who may assume the role: an ARN, or an account's number.", valueName: "arn"))
    var principal: String?

    @Option(
        help: ArgumentHelp(
            "Print one document only: \"permissions\" or \"trust\".", valueName: "document"))
    var only: Document?

    @Argument(
        help: ArgumentHelp(
            "Connectors, or files of connectors that are not installed yet.",
            valueName: "connector"),
        completion: Completions.connectorsAndFiles)
    var connectors: [String]

    func validate() throws {
        guard let principal, TrustPolicy.principal(principal, partition: "aws") == nil else {
            return
        }
        throw ValidationError("\"\(principal)\" is neither an ARN nor an account's number")
    }

    func run() throws {
        let settings = try connectors.map { try options.loadConnector($0).connector }
        let trust = RoleTrust.all(of: settings)
        if trust.isEmpty, only == .trust || principal != nil {
            throw Refusal(
                "none of these connectors has a role_arn, so there is no trust policy"
            ).show()
        }
        if only != .trust {
            let policy = AccessPolicy(settings)
            if only == nil, !trust.isEmpty { Output.error("permissions:") }
            Output.data(policy.json.indented)
            for remark in policy.remarks { Output.error(Output.plain(remark)) }
        }
        if only == .permissions || trust.isEmpty { return }
        guard let principal else { Self.askForPrincipal(settings, trust) }
        // `validate` has seen that it is one.
        let arn = TrustPolicy.principal(principal, partition: trust[0].partition) ?? principal
        Self.show(trust, principal: arn)
    }

    private static func show(_ trust: [RoleTrust], principal: String) {
        for role in trust {
            Output.error(Output.plain("trust policy of \(role.arn):"))
            Output.data(
                TrustPolicy(principal: principal, externalIDs: role.externalIDs).json.indented)
            for remark in role.remarks { Output.error(Output.plain(remark)) }
        }
    }

    /// Asks STS whose credentials will assume the role, and goes on with their account.
    private static func askForPrincipal(
        _ settings: [ConnectorSettings], _ trust: [RoleTrust]
    ) -> Never {
        guard let connector = settings.first(where: { $0.credentials.role != nil }) else {
            preconditionFailure("there is a role to be trusted")
        }
        MainActor.assumeIsolated {
            let account = CallerAccount(of: connector) { result in
                switch result {
                case .success(let principal):
                    show(trust, principal: principal)
                    Glibc.exit(ExitCode.success.rawValue)
                case .failure(let refusal):
                    Glibc.exit(refusal.show().rawValue)
                }
            }
            account.find()
        }
        dispatchMain()
    }
}
