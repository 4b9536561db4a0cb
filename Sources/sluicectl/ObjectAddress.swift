import Encoding
import Model

/// Where an object lies: `s3://bucket/key`.
struct ObjectAddress: Equatable, CustomStringConvertible {
    var bucket: String
    var key: String

    init(bucket: String, key: String) {
        (self.bucket, self.key) = (bucket, key)
    }

    /// Of a file that goes as it is.
    init(of file: ExportFile, under connector: ConnectorSettings) {
        bucket = connector.bucket
        key = file.key(folder: connector.folder, template: connector.keyTemplate)
    }

    var description: String { "s3://\(bucket)/\(key)" }
}
