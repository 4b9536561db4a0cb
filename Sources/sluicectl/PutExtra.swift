import Model

/// What a connector may send along with an object, and the permission that this takes.
enum PutExtra: CaseIterable {
    case acl, tags

    var name: String {
        switch self {
        case .acl: "PutObjectAcl"
        case .tags: "PutObjectTagging"
        }
    }

    var action: String { "s3:" + name }

    func isUsed(by connector: ConnectorSettings) -> Bool {
        switch self {
        case .acl: connector.acl != nil
        case .tags: !connector.tags.isEmpty
        }
    }

    /// The connector with this and none of the others.
    func alone(_ connector: ConnectorSettings) -> ConnectorSettings {
        var alone = connector
        if self != .acl { alone.acl = nil }
        if self != .tags { alone.tags = [] }
        return alone
    }
}
