import Avro
import Model

/// Why the daemon cannot run, and what its process ends with.
nonisolated struct StartFailure: Error {
    var text: String
    var status: Int32

    init(_ text: String, status: Int32) {
        self.text = text
        self.status = status
    }
}

/// The exit statuses: those of sysexits.h that say something to a service manager.
nonisolated enum ExitStatus {
    static let fine: Int32 = 0
    static let failed: Int32 = 1
    static let usage: Int32 = 64
    static let tryAgainLater: Int32 = 75
    static let noPermission: Int32 = 77
    static let configuration: Int32 = 78
}

/// A configuration without problems, and where it came from.
nonisolated struct LoadedSettings {
    var file: String
    var settings: Settings
    var schemas = SchemaSet()
}
