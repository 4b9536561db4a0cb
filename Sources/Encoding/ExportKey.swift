import Digest
public import Model

extension ExportFile {
    /// The key of the file's object: the same whoever makes it, and whenever.
    ///
    /// - Parameter folder: the connector's; "" for the bucket's root.
    public func key(folder: String, template: KeyTemplate) -> String {
        let digest =
            template.names.contains(.uuid)
            ? SHA256.digest(of: identity).withUnsafeBytes { Array($0) } : []
        let path = template.path(self, digest: digest)
        return folder.isEmpty ? path : "\(folder)/\(path)"
    }
}
