public import Digest
internal import Delivery
internal import Model
public import Signing

/// An object as PutObject wants it described; its bytes come from an `UploadBody`.
public nonisolated struct ObjectUpload: Sendable {
    public var key: String
    public var digest: ContentDigest
    /// The SHA-256 of all bytes, which signs them where they go in one request; nil: they are not signed.
    public var payload: SHA256Digest?
    /// The CRC-32 of zlib.
    public var crc32: UInt32
    public var contentType: String
    /// Further members of the object's metadata: names without `x-amz-meta-`, values in ASCII. The
    /// digest is added as `sluice-sha256`, for that is what a retry compares.
    public var metadata: [Header]

    public init(
        key: String, digest: ContentDigest, crc32: UInt32, contentType: String,
        metadata: [Header] = []
    ) {
        self.key = key
        self.digest = digest
        payload = digest.form == .whole ? digest.sha256 : nil
        self.crc32 = crc32
        self.contentType = contentType
        self.metadata = metadata
    }

    /// All headers that depend on the object, the connector, and what the store knows.
    func headers(_ settings: ConnectorSettings, features: Set<OptionalFeature>) -> [Header] {
        var headers = lasting(settings)
        if features.contains(.conditionalWrites) { headers.append(Self.onlyIfNew) }
        if features.contains(.checksum) { headers += Self.checksum(crc32) }
        return headers
    }

    /// Those that begin an upload in parts: the object itself comes later.
    func headersOfCreation(
        _ settings: ConnectorSettings, features: Set<OptionalFeature>
    ) -> [Header] {
        lasting(settings)
            + (features.contains(.checksum) ? [Header("x-amz-checksum-algorithm", "CRC32")] : [])
    }

    static let onlyIfNew = Header("if-none-match", "*")

    /// Buckets with a default retention ask for the name of the algorithm, too.
    static func checksum(_ crc32: UInt32) -> [Header] {
        [
            Header("x-amz-sdk-checksum-algorithm", "CRC32"),
            Header("x-amz-checksum-crc32", base64(crc32)),
        ]
    }

    /// What stays with the object in the bucket.
    private func lasting(_ settings: ConnectorSettings) -> [Header] {
        var headers = [
            Header("content-type", contentType), Header(Answer.digestHeader, digest.description),
        ]
        headers += metadata.map { Header("x-amz-meta-\($0.name)", $0.value) }
        headers += Self.encryption(settings.encryption)
        if let storageClass = settings.storageClass {
            headers.append(Header("x-amz-storage-class", storageClass))
        }
        if let acl = settings.acl { headers.append(Header("x-amz-acl", acl)) }
        if !settings.tags.isEmpty {
            headers.append(Header("x-amz-tagging", Self.tagging(settings.tags)))
        }
        return headers
    }

    private static func encryption(_ encryption: ServerSideEncryption?) -> [Header] {
        let name = "x-amz-server-side-encryption"
        switch encryption {
        case nil:
            return []
        case .aes256:
            return [Header(name, "AES256")]
        case .kms(let keyID, let bucketKey):
            var headers = [Header(name, "aws:kms")]
            if let keyID { headers.append(Header("\(name)-aws-kms-key-id", keyID)) }
            if let bucketKey {
                headers.append(Header("\(name)-bucket-key-enabled", bucketKey ? "true" : "false"))
            }
            return headers
        }
    }

    /// Tags as a query: `name=value&…`, percent-encoded.
    static func tagging(_ tags: [Tag]) -> String {
        tags.map { "\(encoded($0.key))=\(encoded($0.value))" }.joined(separator: "&")
    }

    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = text.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                [byte]
            default:
                [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The four bytes, most significant first, in Base64: six characters and two "=".
    static func base64(_ crc32: UInt32) -> String {
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let bits = UInt64(crc32) << 4
        let characters = stride(from: 30, through: 0, by: -6).map { shift in
            alphabet[Int(bits >> UInt64(shift)) & 63]
        }
        return String(decoding: characters, as: UTF8.self) + "=="
    }
}
