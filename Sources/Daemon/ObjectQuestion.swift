import Digest
import HTTPServer
import Model

/// What somebody who waits for an export asks: how far the object of a file is.
nonisolated struct ObjectQuestion: Equatable {
    var connector: ConnectorName
    /// The key that was made of the file; where another object had that, it has another by now.
    var key: String
    /// What the file is called, and the digest of its bytes. Without them, any object of the key is meant.
    var name: String?
    var digest: ContentDigest?
    /// Nothing older counts.
    var since: Timestamp?

    static let path = "/object"

    /// nil where it is about something else.
    @MainActor
    init?(_ request: HTTPRequest) throws(ControlRequest.Fault) {
        guard request.path == Self.path else { return nil }
        guard request.method == .get else { throw .method }
        guard let connector = try ControlRequest.connector(request) else { throw .connectorMissing }
        guard let key = request.query["key"], (1...ObjectKey.longest).contains(key.utf8.count)
        else { throw .keyMissing }
        self.connector = connector
        self.key = key
        name = request.query["name"]
        if let text = request.query["sha256"] {
            guard let digest = ContentDigest(text) else { throw .number(text) }
            self.digest = digest
        }
        if let text = request.query["since"] {
            guard let seconds = Int64(text) else { throw .number(text) }
            since = Timestamp(unixSeconds: seconds)
        }
    }

    init(connector: ConnectorName, key: String, name: String? = nil, digest: ContentDigest? = nil) {
        (self.connector, self.key, self.name, self.digest) = (connector, key, name, digest)
    }

    /// Whether an object is the one that is asked for.
    func means(key: String, name: String?, digest: ContentDigest) -> Bool {
        if let asked = self.digest, asked != digest { return false }
        // Keys are told apart by bytes.
        if self.key.utf8.elementsEqual(key.utf8) { return true }
        guard let asked = self.name, let name, self.digest != nil else { return false }
        return asked.utf8.elementsEqual(name.utf8)
    }
}
