import Model

/// Where an object is, as people name it.
enum ObjectPlace: Equatable {
    case input
    case file(String)
    case s3(bucket: String, key: String)

    /// nil: an `s3://` address without a bucket or a key.
    init?(_ text: String) {
        let scheme = "s3://"
        guard text.hasPrefix(scheme) else {
            self = text == "-" ? .input : .file(text)
            return
        }
        let address = text.dropFirst(scheme.count)
        guard let slash = address.firstIndex(of: "/"), slash > address.startIndex,
            address.index(after: slash) < address.endIndex
        else { return nil }
        self = .s3(
            bucket: String(address[..<slash]), key: String(address[address.index(after: slash)...]))
    }

    /// The connector whose bucket it is, and whose folder the key is in: of several, the one with the longest.
    static func connector(
        for bucket: String, key: String, among connectors: [ConnectorSettings]
    ) -> ConnectorSettings? {
        connectors
            .filter { connector in
                connector.bucket == bucket
                    && (connector.folder.isEmpty || key.hasPrefix(connector.folder + "/"))
            }
            .max { $0.folder.utf8.count < $1.folder.utf8.count }
    }
}
