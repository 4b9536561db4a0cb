import Credentials
import Curl
import Dispatch
import Files
import Glibc
import Model

/// The credentials of a connector, as the daemon has them.
@MainActor
enum TrialCredentials {
    /// Where systemd keeps what `LoadCredential=` of the unit names, while the unit runs.
    static let unitDirectory = "/run/credentials/sluiced.service"

    static func provider(
        for connector: ConnectorSettings, _ transport: Transport
    ) -> RefreshingCredentials {
        // A dump of this process would have the secret in it.
        ProcessMemory.forbidDumps()
        var surroundings = CredentialSurroundings(
            transport: transport, queue: DispatchQueue(label: "sluicectl.credentials"))
        let environment = surroundings.environment
        surroundings.environment = { name in
            if let value = environment(name) { return value }
            let isThere = name == "CREDENTIALS_DIRECTORY" && access(unitDirectory, X_OK) == 0
            return isThere ? unitDirectory : nil
        }
        return .make(for: connector, surroundings)
    }
}
