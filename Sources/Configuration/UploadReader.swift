import Model

/// Reads what S3 is told with each object: encryption, storage class, ACL, tags, conditions,
/// checksums.
struct UploadReader {
    let root: TableReader

    func read(into connector: inout ConnectorSettings) {
        connector.encryption = encryption()
        connector.storageClass = storageClass()
        connector.acl = root.choice("acl", among: Self.cannedACLs)
        connector.tags = tags()
        connector.conditionalWrites = root.boolean("conditional_writes") ?? true
        connector.checksum =
            root.choice("checksum", of: ConnectorSettings.Checksum.self) ?? .whenSupported
        connector.multipart = multipart(root.table("multipart"))
    }

    private func multipart(_ table: TableReader) -> MultipartLimits {
        var limits = MultipartLimits()
        limits.above =
            table.size(
                "above", in: MultipartLimits.smallestPart...MultipartLimits.largestPut,
                limits: "\"5MiB\" to \"5GB\"") ?? limits.above
        limits.partSize =
            table.size(
                "part_size", in: MultipartLimits.smallestPart...MultipartLimits.largestPart,
                limits: "\"5MiB\" to \"5GiB\"") ?? limits.partSize
        return limits
    }

    private func encryption() -> ServerSideEncryption? {
        let algorithm = root.choice("server_side_encryption", among: ["AES256", "aws:kms"])
        let keyID = root.string("kms_key_id") { text in
            let isHeaderText = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            return isHeaderText && (1...2048).contains(text.utf8.count)
                ? nil : "\(quoted(text)) is no key ID, alias or ARN"
        }
        let bucketKey = root.boolean("bucket_key_enabled")
        if algorithm == "aws:kms" { return .kms(keyID: keyID, bucketKey: bucketKey) }
        for key in ["kms_key_id", "bucket_key_enabled"] where root.has(key) {
            root.problem(key, "has a meaning only with server_side_encryption = \"aws:kms\"")
        }
        return algorithm == "AES256" ? .aes256 : nil
    }

    /// Stores other than AWS have classes of their own, so there any word will do.
    private func storageClass() -> String? {
        guard root.has("endpoint") else {
            return root.choice("storage_class", among: Self.storageClasses)
        }
        return root.string("storage_class") { text in
            let isWord = text.utf8.allSatisfy {
                isLetterOrDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
            }
            return isWord && !text.isEmpty ? nil : "\(quoted(text)) is no storage class"
        }
    }

    /// The limits are those of "Categorizing your storage using tags" in the S3 User Guide.
    private func tags() -> [Tag] {
        let table = root.table("tags")
        var tags: [Tag] = []
        for (key, value) in table.entries {
            guard case .string(let text) = value else {
                table.problem(key, "must be a string, not \(value.noun)")
                continue
            }
            if let fault = Self.fault(inTag: key, text) { table.problem(key, fault) }
            tags.append(Tag(key: key, value: text))
        }
        if tags.count > 10 {
            root.problem("tags", "S3 allows 10 tags on an object, and these are \(tags.count)")
        }
        return tags
    }

    private static func fault(inTag key: String, _ value: String) -> String? {
        if !(1...128).contains(key.utf16.count) {
            return "S3 allows 1 to 128 characters in a tag's key"
        }
        if value.utf16.count > 256 { return "S3 allows 256 characters in a tag's value" }
        if key.lowercased().hasPrefix("aws:") { return "S3 reserves keys that begin with \"aws:\"" }
        for character in key + value
        where !character.isLetter && !character.isNumber && !" +-=._:/@".contains(character) {
            return
                "has \(quoted(String(character))); S3 allows letters, digits, spaces and + - = . _ : / @"
        }
        return nil
    }

    /// Of the Storage class values of PutObject, those that a general purpose bucket takes.
    private static let storageClasses = [
        "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER",
        "DEEP_ARCHIVE", "REDUCED_REDUNDANCY",
    ]

    /// "Canned ACL" in the S3 User Guide, without the one that only buckets take.
    private static let cannedACLs = [
        "private", "public-read", "public-read-write", "aws-exec-read", "authenticated-read",
        "bucket-owner-read", "bucket-owner-full-control",
    ]
}
