import Model
import Systemd

/// A socket that the service manager passed, and that may be served as one of our own.
nonisolated struct ServedSocket: Sendable {
    let descriptor: Int32
    let address: ListenAddress

    /// All that were passed; one that we would not open ourselves is an error of the socket unit.
    static func all(_ passed: [PassedSocket]) throws(StartFailure) -> [ServedSocket] {
        var sockets: [ServedSocket] = []
        for socket in passed {
            sockets.append(
                ServedSocket(descriptor: socket.descriptor, address: try address(of: socket)))
        }
        return sockets
    }

    private static func address(of socket: PassedSocket) throws(StartFailure) -> ListenAddress {
        do throws(ListenAddress.Fault) {
            switch socket.place {
            case .unix(let path): return try ListenAddress(path)
            case .tcp(let text): return try ListenAddress(text)
            case .other: break
            }
        } catch {
            throw refusal(error.text)
        }
        throw refusal(
            "descriptor \(socket.descriptor) is no Unix or TCP stream socket with a name that "
                + "somebody listens on")
    }

    private static func refusal(_ reason: String) -> StartFailure {
        StartFailure(
            "the service manager passed a socket that cannot be served: \(reason); mend "
                + "ListenStream= in sluiced.socket", status: ExitStatus.configuration)
    }
}
