import Model

/// What connectors must be allowed to do, as an IAM policy: nothing missing, and nothing more.
///
/// Listing is not narrowed to the folder by a condition on `s3:prefix`: a request for an object names
/// no prefix, so under such a condition S3 answers "denied" for an object that is not there, and what
/// is gone could not be told from what may not be read.
///
/// Sources: "Policies and permissions in Amazon S3" and "Required permissions for Amazon S3 API
/// operations" in the S3 User Guide; "Using server-side encryption with AWS KMS keys" there.
struct AccessPolicy {
    /// A few actions on the resources that they are needed for.
    struct Statement: Equatable {
        /// Unique in a policy; letters and digits only.
        var id: String
        var actions: [String]
        /// ARNs in ascending order.
        var resources: [String]
    }

    let statements: [Statement]
    /// What no policy of ours can say, as sentences that tell what to do.
    let remarks: [String]

    init(_ connectors: [ConnectorSettings]) {
        let statements = [
            Statement(
                "Bucket", ["s3:GetBucketLocation", "s3:ListBucket"], connectors.map(\.bucketARN)),
            Statement("Objects", ["s3:GetObject", "s3:PutObject"], connectors.map(\.objectsARN)),
            // For remove_after, and for what "sluicectl test" writes.
            Statement(
                "Removal", ["s3:DeleteObject"],
                connectors.filter { $0.kind == .dataExport }.map(\.objectsARN)),
            Statement(
                "ObjectAcl", ["s3:PutObjectAcl"],
                connectors.filter { $0.acl != nil }.map(\.objectsARN)),
            Statement(
                "ObjectTags", ["s3:PutObjectTagging"],
                connectors.filter { !$0.tags.isEmpty }.map(\.objectsARN)),
            Statement(
                "Keys", Self.keyActions, connectors.compactMap(\.keyARN)),
        ]
        self.statements = statements.filter { !$0.resources.isEmpty }
        remarks = connectors.flatMap(\.remarks)
    }

    /// What writing and reading objects takes that a KMS key encrypts.
    static let keyActions = ["kms:Decrypt", "kms:GenerateDataKey"]

    var json: JSONText {
        .object([
            ("Version", .string(Self.version)), ("Statement", .array(statements.map(\.json))),
        ])
    }

    /// The language of policies; the only one that knows `${*}`.
    static let version = "2012-10-17"
}

extension AccessPolicy.Statement {
    fileprivate init(_ id: String, _ actions: [String], _ resources: [String]) {
        self.init(id: "Sluice" + id, actions: actions, resources: Set(resources).sorted())
    }

    fileprivate var json: JSONText {
        .object([
            ("Sid", .string(id)), ("Effect", .string("Allow")),
            ("Action", .array(actions.map { .string($0) })),
            ("Resource", .array(resources.map { .string($0) })),
        ])
    }
}

extension ConnectorSettings {
    /// Where the region is left out, the role tells; without one it is the first partition.
    var partition: Partition {
        let parts = credentials.role?.arn.split(separator: ":", maxSplits: 2) ?? []
        let ofRole = parts.count > 1 ? Partition(name: String(parts[1])) : nil
        return region.map(Partition.init(region:)) ?? ofRole ?? Partition(region: "")
    }

    fileprivate var bucketARN: String { "arn:\(partition.name):s3:::\(bucket)" }

    /// The objects of the folder, at any depth.
    fileprivate var objectsARN: String {
        let prefix = folder.isEmpty ? "" : PolicyText.literal(folder) + "/"
        return "\(bucketARN)/\(prefix)*"
    }

    /// nil where no key is named, or by something that IAM does not take for a resource.
    fileprivate var keyARN: String? {
        guard case .kms(let keyID?, _) = encryption, keyID.hasPrefix("arn:"),
            keyID.contains(":key/")
        else { return nil }
        return keyID
    }

    fileprivate var remarks: [String] {
        var remarks: [String] = []
        if case .kms(let keyID?, _) = encryption, keyARN == nil {
            remarks.append(
                "connector \(name): IAM wants a KMS key by its ARN, and kms_key_id is "
                    + "\"\(keyID)\": add kms:GenerateDataKey and kms:Decrypt on "
                    + "arn:…:kms:<region>:<account>:key/<id>, or write that ARN into kms_key_id")
        }
        if kind == .dataExport, folder.isEmpty {
            remarks.append(
                "connector \(name): its files go to the bucket's root, so it may delete every "
                    + "object of the bucket, others' too; set folder to narrow that")
        }
        if bucket.hasSuffix("-s3alias") {
            remarks.append(
                "connector \(name): \"\(bucket)\" is the alias of an access point: IAM wants its "
                    + "ARN, arn:…:s3:<region>:<account>:accesspoint/<name>, and for the objects "
                    + "the same followed by /object/<folder>/*; put them in place of the bucket's")
        }
        return remarks
    }
}

enum PolicyText {
    /// A text that matches itself and nothing else: `*`, `?` and `$` mean more in a resource.
    ///
    /// Source: "IAM policy elements: Variables and tags", special characters.
    static func literal(_ text: String) -> String {
        text.map { "*?$".contains($0) ? "${\($0)}" : String($0) }.joined()
    }
}
